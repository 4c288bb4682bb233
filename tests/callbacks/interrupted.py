"""A small training that breaks off, and is begun again by a new script."""

import keras
import numpy as np

from keras_regopt.callbacks import FaultTolerant

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(20, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")
BATCHES = 5


class Interruption(Exception):
    pass


class InterruptAfter(keras.callbacks.Callback):
    """Not guarded: it lives on."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if self.batches == 0:
            raise Interruption


def model(optimizer=None, **options):
    built = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dropout(0.3), keras.layers.Dense(1)]
    )
    options = {"run_eagerly": True, "jit_compile": False, **options}
    built.compile(
        optimizer or keras.optimizers.SGD(0.05, momentum=0.5),
        "mse",
        metrics=["mae"],
        **options,
    )
    return built


def arrays():
    return {"x": X, "y": Y, "batch_size": 4}


def train(
    directory,
    breaks=(),
    data=arrays,
    make_model=model,
    guarded=list,
    save_freq=2,
    epochs=4,
    same_seeds=False,
    **options,
):
    """Trains to the end; returns the history and the weights.

    Args:
        directory: Of the backup; `None` for a training without FaultTolerant.
        breaks: After how many batches each try but the last breaks off.
        data: Makes what `fit` gets.
        make_model: Makes the model.
        guarded: Makes the guarded callbacks.
        save_freq: Of the backup.
        epochs: Of `fit`.
        same_seeds: Whether the script begins with the same seeds each time.
            Otherwise all of a seed has to come from the backup.
        **options: Of `FaultTolerant`.
    """
    for attempt, batches in enumerate([*breaks, None]):
        keras.utils.set_random_seed(0 if same_seeds else attempt)
        trained = make_model()
        callbacks = guarded()
        tolerant = []
        if directory is not None:
            tolerant = [
                FaultTolerant(callbacks, directory, save_freq, **options)
            ]
        if batches is not None:
            callbacks = [*callbacks, InterruptAfter(batches)]
        try:
            history = trained.fit(
                **data(),
                epochs=epochs,
                verbose=0,
                callbacks=[*tolerant, *callbacks],
            )
        except Interruption:
            continue
        assert attempt == len(breaks), "it ended before it could break off"
    return history.history, trained.get_weights()


def require_equal(run, other):
    """To the last bit."""
    assert run[0] == other[0]
    for a, b in zip(run[1], other[1], strict=True):
        np.testing.assert_array_equal(a, b)
