"""Small data and small models, the same on every backend."""

import keras
import numpy as np

from keras_regopt.testing._contract import require


def data():
    """Eight examples of four features, and one target each."""
    random = np.random.default_rng(0)
    x = random.normal(size=(8, 4)).astype("float32")
    return x, (x[:, :1] - x[:, 1:2]).astype("float32")


def dense_model(optimizer="sgd", dtype=None, mode=None, **dense_arguments):
    """A compiled model of two dense layers, with the same weights each time.

    Args:
        optimizer: What `compile` takes.
        dtype: A dtype policy for the layers.
        mode: `"eager"`, `"graph"` (on TensorFlow), `"jit"`, or `None` for what
            Keras chooses. With a mode, the optimizer is built already.
        **dense_arguments: Arguments of the first layer.
    """
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(
                3, activation="tanh", dtype=dtype, **dense_arguments
            ),
            keras.layers.Dense(1, use_bias=False, dtype=dtype),
        ]
    )
    return _compiled(model, optimizer, mode)


def _compiled(model, optimizer, mode):
    model.compile(optimizer, "mse", **compile_arguments(mode))
    if mode is not None:
        # Left to the first step, TensorFlow would trace that step twice.
        model.optimizer.build(model.trainable_variables)
    return model


def metric_model(metric, mode=None):
    """A model compiled with a metric, and data whose targets have two columns.

    The second holds 0 and 1, such as the number of a group.
    """
    model = dense_model()
    model.compile("sgd", "mse", metrics=[metric], **compile_arguments(mode))
    x, y = data()
    second = (np.arange(8) % 2)[:, None]
    return model, x, np.concatenate([y, second], axis=1).astype("float32")


def compile_arguments(mode):
    """The arguments of `compile` for a mode of the train step."""
    return {
        None: {},
        "eager": {"run_eagerly": True, "jit_compile": False},
        "graph": {"jit_compile": False},
        "jit": {"jit_compile": True},
    }[mode]


MODES = {
    "tensorflow": ["eager", "graph", "jit"],
    "jax": ["eager", "jit"],
    "torch": ["eager"],
}


def modes():
    """The modes in which a backend can run a train step, eager first."""
    return MODES.get(keras.backend.backend(), ["eager"])


def fit(model, passes=3):
    """Trains on `data()` in two batches a pass.

    All passes are one epoch: to begin one takes TensorFlow longer than its
    steps.

    Args:
        model: A compiled model.
        passes: How often to go through the data.

    Returns:
        A list of the mean losses up to each batch.
    """
    losses = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: losses.append(
            float(logs["loss"])
        )
    )
    x, y = (np.tile(array, (passes, 1)) for array in data())
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[note])
    return losses


def require_alike(train):
    """Requires finite losses, the same ones in every mode.

    Args:
        train: Function of a mode that returns a list of losses, or `None`
            where a mode has nothing to compare.
    """
    eager = None
    for mode in modes():
        losses = train(mode)
        if losses is None:
            continue
        require(
            np.all(np.isfinite(losses)),
            f"the losses are {losses} in mode {mode}",
        )
        eager = eager or losses
        require(
            np.allclose(losses, eager, rtol=1e-4),
            f"the losses differ in mode {mode}: {losses} instead of {eager}",
        )


def usable_layer(layer):
    """A layer that a model can use: a recurrent cell comes within an RNN.

    A layer with `adapt` is adapted.
    """
    if hasattr(layer, "adapt"):
        random = np.random.default_rng(0)
        layer.adapt(random.normal(size=layer_shape(layer)).astype("float32"))
    is_cell = hasattr(layer, "state_size")
    if not is_cell or isinstance(layer, keras.layers.RNN):
        return layer
    layer = keras.layers.RNN(
        layer, return_sequences=True, dtype=layer.dtype_policy
    )
    layer.input_spec = keras.layers.InputSpec(ndim=3)
    return layer


def layer_shape(layer):
    """An input shape, batch included, that a layer says it can take."""
    spec = getattr(layer, "input_spec", None)
    rank = getattr(spec, "ndim", None) or 2
    return {2: (4, 6), 3: (4, 8, 6), 4: (4, 12, 10, 3)}.get(
        rank, (4,) + (6,) * (rank - 1)
    )


def layer_model(layer, shape, mode=None):
    """A compiled model with a layer in its middle, and data for it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape[1:]),
            layer,
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    _compiled(model, "sgd", mode)
    random = np.random.default_rng(0)
    x = random.normal(size=shape).astype("float32")
    return model, x, np.ones((len(x), 1), "float32")
