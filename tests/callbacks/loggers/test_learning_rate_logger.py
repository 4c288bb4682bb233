import keras
import numpy as np
import pytest
from events import scalars
from keras.optimizers import SGD
from linear_fit import (
    Weights,
    by_kernel_and_bias,
    decay,
    descend,
    fit,
    keras_decay,
    linear_model,
)

from keras_regopt._train_step import sync
from keras_regopt.callbacks import LearningRateLogger, ReduceLROnPlateau

# Eagerly where that is faster for some steps.
EAGER = keras.backend.backend() != "jax"


def test_the_history_has_the_rate_that_moved_the_weights():
    # The two callbacks of Keras that write the rate to come into the logs.
    weights = Weights()
    history = fit(
        linear_model(SGD(0.02)),
        keras.callbacks.ReduceLROnPlateau(
            "loss", factor=0.5, patience=1, min_delta=100
        ),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
        weights,
        LearningRateLogger(),
        epochs=4,
    )
    rates = history["learning_rate"]
    np.testing.assert_allclose(
        rates, [0.018, 0.0162, 0.00729, 0.0032805], rtol=1e-5
    )
    for epoch, rate in enumerate(rates):
        expected = descend(
            *weights.seen[epoch],
            lambda batch, rate=rate: rate,
            lambda batch, rate=rate: rate,
            lambda gradient: gradient,
        )
        for weight, value in zip(
            weights.seen[epoch + 1], expected, strict=True
        ):
            np.testing.assert_allclose(weight, value, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: SGD(keras_decay()), {"learning_rate": decay}),
        (
            lambda: keras.optimizers.LossScaleOptimizer(SGD(keras_decay())),
            {"learning_rate": decay},
        ),
        (
            by_kernel_and_bias,
            {
                "learning_rate_kernels": decay,
                "learning_rate_rest": lambda step: 0.02,
            },
        ),
        (lambda: SGD(lambda: 0.03), {"learning_rate": lambda step: 0.03}),
    ],
    ids=["schedule", "loss_scale", "multi", "function"],
)
def test_logs_the_rate_of_the_last_step_of_each_member(make, expected):
    history = fit(
        linear_model(make(), run_eagerly=EAGER), LearningRateLogger(), epochs=3
    )
    assert {k for k in history if k.startswith("learning")} == set(expected)
    for key, rate in expected.items():
        np.testing.assert_allclose(
            history[key], [rate(1), rate(3), rate(5)], rtol=1e-5
        )


@pytest.mark.any_backend
def test_a_rate_that_changes_within_an_epoch_is_that_of_the_last_step():
    def change(batch, logs):
        sync(model)
        model.optimizer.learning_rate = 0.01 * (batch + 1)

    model = linear_model(SGD(0.02))
    changer = keras.callbacks.LambdaCallback(on_train_batch_begin=change)
    history = fit(model, changer, LearningRateLogger(), epochs=2)
    np.testing.assert_allclose(history["learning_rate"], 0.02, rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("first", ["plateau", "logger"])
def test_a_plateau_that_cuts_a_schedule_changes_the_rate_of_the_next_epoch(
    first,
):
    callbacks = [
        ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=100),
        LearningRateLogger(),
    ]
    if first == "logger":
        callbacks.reverse()
    history = fit(linear_model(SGD(keras_decay())), *callbacks, epochs=3)
    np.testing.assert_allclose(
        history["learning_rate"],
        [decay(1), decay(3), 0.5 * decay(5)],
        rtol=1e-5,
    )


@pytest.mark.any_backend
def test_tensorboard_gets_the_rate_of_epochs_and_of_every_so_many_batches(
    tmp_path,
):
    history = fit(
        linear_model(SGD(keras_decay())),
        LearningRateLogger(tmp_path, update_freq=3),
        epochs=3,
    )
    written = scalars(tmp_path)
    assert written.keys() == {"learning_rate", "batch_learning_rate"}
    steps, rates = zip(*written["batch_learning_rate"], strict=True)
    assert steps == (0, 3)
    np.testing.assert_allclose(rates, [decay(0), decay(3)], rtol=1e-5)
    epochs, rates = zip(*written["learning_rate"], strict=True)
    assert epochs == (0, 1, 2)
    np.testing.assert_allclose(rates, history["learning_rate"], rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"log_dir": 3}, "log_dir"),
        ({"update_freq": 0, "log_dir": "x"}, "update_freq"),
        ({"update_freq": "batch", "log_dir": "x"}, "update_freq"),
        ({"update_freq": 5}, "log_dir"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of LearningRateLogger"):
        LearningRateLogger(**arguments)
