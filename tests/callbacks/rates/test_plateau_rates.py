import json

import keras
import numpy as np
import pytest
from keras.optimizers import SGD
from keras.optimizers import LossScaleOptimizer as LossScale
from linear_fit import (
    Weights,
    X,
    Y,
    by_kernel_and_bias,
    cut_each_epoch,
    decay,
    descend,
    fit,
    keras_decay,
    linear_model,
)

from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.optimizers import Lookahead
from keras_regopt.schedules import OneCycle, Warmup
from keras_regopt.schedules.scale import Scale


def plain(step):
    return 0.02


def sign_adam(rate):
    """Adam without memory, which steps by the rate exactly."""
    return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.0, epsilon=1e-12)


def same(gradient):
    return gradient


# Optimizer, rate of the kernel and of the bias by step, step by gradient.
NESTINGS = {
    "sgd": (lambda: SGD(0.02), plain, plain, same),
    "sgd_schedule": (lambda: SGD(keras_decay()), decay, decay, same),
    "adam": (lambda: sign_adam(0.02), plain, plain, np.sign),
    "adam_schedule": (lambda: sign_adam(keras_decay()), decay, decay, np.sign),
    "loss_scale": (lambda: LossScale(SGD(0.02)), plain, plain, same),
    "loss_scale_adam_schedule": (
        lambda: LossScale(sign_adam(keras_decay())),
        decay,
        decay,
        np.sign,
    ),
    "multi": (by_kernel_and_bias, decay, plain, same),
    # A slow step of 1 leaves the inner optimizer's steps as they are.
    "wrapper": (
        lambda: Lookahead(SGD(keras_decay()), slow_step_size=1.0),
        decay,
        decay,
        same,
    ),
    "loss_scale_wrapper": (
        lambda: LossScale(Lookahead(SGD(keras_decay()), slow_step_size=1.0)),
        decay,
        decay,
        same,
    ),
}


# Compiled or not, whatever the backend does not do by itself. Torch compiles
# for many seconds, so one stands for all there.
OTHERWISE = {
    "tensorflow": [
        ("sgd_schedule", True),
        ("multi", True),
        ("loss_scale_wrapper", True),
    ],
    "jax": [("sgd_schedule", False)],
    "torch": [("sgd_schedule", True)],
}[keras.backend.backend()]


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("nesting", "jit_compile"),
    [(nesting, "auto") for nesting in NESTINGS] + OTHERWISE,
)
def test_cuts_what_really_moves_the_weights(nesting, jit_compile):
    make, kernel_rate, bias_rate, gradient_to_step = NESTINGS[nesting]
    model = linear_model(make(), jit_compile=jit_compile)
    weights = Weights()
    history = fit(model, cut_each_epoch(), weights, epochs=4)

    for epoch in range(4):
        factor = 0.5 ** max(epoch - 1, 0)
        expected = descend(
            *weights.seen[epoch],
            lambda b, e=epoch, f=factor: f * kernel_rate(2 * e + b),
            lambda b, e=epoch, f=factor: f * bias_rate(2 * e + b),
            gradient_to_step,
        )
        moved = [
            new - old
            for new, old in zip(
                weights.seen[epoch + 1], weights.seen[epoch], strict=True
            )
        ]
        for move, end, start in zip(
            moved, expected, weights.seen[epoch], strict=True
        ):
            np.testing.assert_allclose(move, end - start, rtol=2e-3, atol=1e-6)
        # The rate of the epoch's last step.
        logged = {
            "learning_rate": kernel_rate,
            "learning_rate_kernels": kernel_rate,
            "learning_rate_rest": bias_rate,
        }
        for key in history.keys() & logged.keys():
            np.testing.assert_allclose(
                history[key][epoch],
                factor * logged[key](2 * epoch + 1),
                rtol=1e-5,
            )
    keys = {key for key in history if key.startswith("learning_rate")}
    assert keys == (
        {"learning_rate_kernels", "learning_rate_rest"}
        if nesting == "multi"
        else {"learning_rate"}
    )


@pytest.fixture
def mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def test_cuts_under_mixed_precision(mixed_precision):
    optimizer = LossScale(sign_adam(keras_decay()), initial_scale=8.0)
    model, weights = linear_model(optimizer), Weights()
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[cut_each_epoch(), weights])
    for epoch in range(4):
        for new, old in zip(
            weights.seen[epoch + 1], weights.seen[epoch], strict=True
        ):
            np.testing.assert_allclose(
                np.abs(new - old),
                0.5 ** max(epoch - 1, 0) * decay(epoch),
                rtol=1e-3,
            )


def float_schedule():
    """A schedule of a user: counts on integers, returns a Python number."""

    class EverySecond(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.02

    return EverySecond()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.schedules.CosineDecay(0.02, 8),
        lambda: keras.optimizers.schedules.PiecewiseConstantDecay(
            [2, 5], [0.03, 0.02, 0.01]
        ),
        lambda: Warmup(0.02, warmup_steps=3, start=0.01),
        lambda: OneCycle(0.02, total_steps=20),
        float_schedule,
    ],
)
def test_works_on_top_of_any_schedule(make):
    rates = [float(make()(step)) for step in range(8)]
    model, weights = linear_model(SGD(make())), Weights()
    fit(model, cut_each_epoch(), weights, epochs=4)
    kernel, bias = weights.seen[0]
    for epoch in range(4):

        def rate(batch, epoch=epoch):
            return 0.5 ** max(epoch - 1, 0) * rates[2 * epoch + batch]

        kernel, bias = descend(kernel, bias, rate, rate, same)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[1], bias, rtol=1e-4)


@pytest.mark.any_backend
def test_repeated_cuts_make_one_scale_around_the_same_schedule():
    schedule = keras_decay()
    before = schedule.get_config()
    model = linear_model(SGD(schedule))
    fit(model, cut_each_epoch(), epochs=4)
    scaled = model.optimizer._learning_rate
    assert (type(scaled), scaled.factor) == (Scale, 0.125)
    assert scaled.schedule is schedule
    assert schedule.get_config() == before


@pytest.mark.any_backend
def test_two_plateaus_log_the_rate_that_was_used():
    history = fit(
        linear_model(SGD(0.02)), cut_each_epoch(), cut_each_epoch(), epochs=3
    )
    np.testing.assert_allclose(history["learning_rate"], [0.02, 0.02, 0.005])


@pytest.mark.any_backend
def test_the_logged_rate_is_that_of_the_last_step_with_accumulation():
    # Eight batches in two epochs: steps end with the third and the sixth.
    model = linear_model(SGD(keras_decay(), gradient_accumulation_steps=3))
    history = model.fit(
        X, Y, batch_size=1, epochs=2, verbose=0, callbacks=[cut_each_epoch()]
    ).history
    np.testing.assert_allclose(
        history["learning_rate"], [decay(2), decay(5)], rtol=1e-5
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "make",
    [lambda: SGD(0.02), lambda: SGD(keras_decay())],
    ids=["variable", "schedule"],
)
def test_fits_of_one_epoch_cut_as_one_fit(make):
    def plateau():
        return ReduceLROnPlateau("loss", 0.5, patience=3, min_delta=100)

    whole_model, whole = linear_model(make()), plateau()
    start = whole_model.get_weights()
    history = fit(whole_model, whole, epochs=6)
    rates = history["learning_rate"]
    assert rates[4] < 0.7 * rates[3]

    model, state, parts = linear_model(make()), plateau().state(), []
    model.set_weights(start)
    for epoch in range(6):
        part = plateau()
        part.restore(state)
        parts += fit(model, part, epochs=epoch + 1, first_epoch=epoch)[
            "learning_rate"
        ]
        state = part.state()
    assert parts == rates
    assert state == whole.state()
    for ours, theirs in zip(
        model.get_weights(), whole_model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(0.02, momentum=0.5),
        lambda: SGD(keras_decay(), momentum=0.5),
        lambda: LossScale(Lookahead(SGD(OneCycle(0.02, 30), momentum=0.5))),
    ],
    ids=["variable", "schedule", "wrapper"],
)
def test_a_saved_model_goes_on_with_the_cut_rate(make, tmp_path):
    model, plateau = linear_model(make()), cut_each_epoch()
    fit(model, plateau, epochs=3)
    model.save(tmp_path / "model.keras")
    state = json.loads(json.dumps(plateau.state()))

    def go_on(model):
        plateau = cut_each_epoch()
        plateau.restore(state)
        history = fit(model, plateau, epochs=5, first_epoch=3)
        return history["learning_rate"], model.get_weights()

    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    rates, weights = go_on(reloaded)
    expected_rates, expected_weights = go_on(model)
    np.testing.assert_allclose(rates, expected_rates, rtol=1e-6)
    for ours, theirs in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
