import keras
import numpy as np
import pytest

from keras_regopt.regularizers import L2SP, ActivityL2, Scheduled
from keras_regopt.schedules import PiecewiseInterpolation
from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._samples import compile_arguments, modes
from keras_regopt.testing._saving import through_file

# 0.1 more in each step.
RAMP = PiecewiseInterpolation([0, 100], [0.0, 10.0])
X, Y = np.zeros((3, 2), "float32"), np.zeros((3, 2), "float32")


def model_with(mode=None, **regularizers):
    """Its weights are ones, its loss the penalties, and no step moves it."""
    layer = keras.layers.Dense(2, kernel_initializer="ones", **regularizers)
    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse", **compile_arguments(mode))
    return model


def fit(model, **options):
    history = model.fit(X, Y, batch_size=1, epochs=2, verbose=0, **options)
    return history.history["loss"]


@pytest.mark.parametrize("mode", modes())
def test_each_step_has_the_strength_of_the_schedule(mode):
    penalty = Scheduled(keras.regularizers.L2(1.0), RAMP)
    model = model_with(mode, kernel_regularizer=penalty)
    # The kernel holds four ones; an epoch has three steps. Evaluation does
    # not count.
    losses = fit(model, validation_data=(X, Y))
    expected = [4 * np.mean([0, 0.1, 0.2]), 4 * np.mean([0.3, 0.4, 0.5])]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert int(penalty.state) == 6
    loss = model.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(4 * 0.6, rel=1e-5)
    assert float(to_numpy(model.losses[0])) == pytest.approx(4 * 0.6, rel=1e-5)
    assert int(penalty.state) == 6


@pytest.mark.any_backend
def test_goes_on_after_a_reload():
    penalty = Scheduled(keras.regularizers.L2(1.0), RAMP)
    model = model_with(kernel_regularizer=penalty)
    fit(model)
    loaded = through_file(model)
    assert fit(loaded)[0] == pytest.approx(4 * 0.7, rel=1e-5)


def test_an_activity_penalty_counts_and_goes_on_too():
    penalty = Scheduled(ActivityL2(1.0), RAMP)
    model = model_with(activity_regularizer=penalty, bias_initializer="ones")
    model.fit(X, Y + 1, batch_size=1, epochs=2, verbose=0)
    assert int(penalty.state) == 6
    loaded = through_file(model)
    # Two activities of 1.
    loss = loaded.evaluate(X, Y + 1, verbose=0)
    assert loss == pytest.approx(2 * 0.6, rel=1e-5)


def test_goes_with_a_weight_or_an_activity_not_with_both():
    penalty = Scheduled(keras.regularizers.L2(1.0), RAMP)
    with pytest.raises(ValueError, match="as a second one"):
        fit(
            model_with(activity_regularizer=penalty, kernel_regularizer=penalty)
        )


def test_holds_a_penalty_with_a_state_of_its_own():
    penalty = Scheduled(L2SP(1.0), RAMP)
    model = model_with(kernel_regularizer=penalty)
    fit(model)
    model.layers[0].kernel.assign(np.full((2, 2), 2.0))
    loaded = through_file(model)
    expected = 0.6 * 4 / 2
    assert float(to_numpy(loaded.losses[0])) == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"regularizer": None}, "regularizer"),
        ({"regularizer": "l2"}, "regularizer"),
        ({"schedule": 0.1}, "schedule"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"regularizer": keras.regularizers.L2(), "schedule": RAMP}
    with pytest.raises(ValueError, match=f"`{name}` of Scheduled must be"):
        Scheduled(**{**good, **arguments})
