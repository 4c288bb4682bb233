import keras
import numpy as np
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    falling,
    gradients,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers import MSAM


def slopes_at(weights, step):
    """Of quartic losses with noise, so that it matters where they are taken."""
    return [
        w**3 + w + noise
        for w, noise in zip(weights, gradients(step), strict=True)
    ]


def run(optimizer, steps, variables=None):
    variables = variables or variables_at_start()
    for step in steps:
        slopes = slopes_at(values_of(variables), step)
        optimizer.apply(
            [keras.ops.cast(g, variables[0].dtype) for g in slopes], variables
        )
    return variables


def paper_run(steps, rate_at, momentum, rho, decay=0.0):
    """The authors' algorithm in float64: the weights, and the shifted ones."""
    weights = [w.astype("float64") for w in gradients(1000)]
    momentums = [np.zeros_like(w) for w in weights]
    shifted = weights
    for step in range(steps):
        slopes = slopes_at(shifted, step)
        for i, slope in enumerate(slopes):
            slope = slope + decay * shifted[i]
            momentums[i] = momentum * momentums[i] + slope
            weights[i] = weights[i] - rate_at(step) * momentums[i]
        length = np.sqrt(sum(np.sum(v**2) for v in momentums))
        shifted = [
            w - rho * v / length
            for w, v in zip(weights, momentums, strict=True)
        ]
    return weights, shifted


def assert_alike(variables, expected):
    assert_close(values_of(variables), expected, atol=2e-6)


@pytest.mark.parametrize("rho", last_everywhere(0.0, 0.3, 3.0))
@pytest.mark.parametrize("decay", last_everywhere(None, 0.1))
def test_follows_the_paper_for_thirty_steps(rho, decay):
    optimizer = MSAM(0.01, rho=rho, weight_decay=decay)
    variables = run(optimizer, range(30))
    weights, shifted = paper_run(30, lambda step: 0.01, 0.9, rho, decay or 0)
    assert_alike(variables, shifted)
    optimizer.unperturb()
    assert_alike(variables, weights)


@pytest.mark.any_backend
def test_follows_the_paper_under_a_schedule():
    schedule, rate_at = falling(0.05)
    optimizer = MSAM(schedule, momentum=0.8, rho=0.5)
    variables = run(optimizer, range(20))
    weights, shifted = paper_run(20, rate_at, 0.8, 0.5)
    assert_alike(variables, shifted)
    optimizer.unperturb()
    assert_alike(variables, weights)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    half = run(MSAM(0.01), range(20), variables_at_start("bfloat16"))
    single = run(MSAM(0.01), range(20))
    # Eight bits of mantissa, of numbers of the order of 1.
    assert_close(*map(values_of, (half, single)), rtol=0, atol=0.05)


def test_goes_on_as_if_not_interrupted_once_the_shift_is_back():
    optimizer = MSAM(0.01, rho=0.5)
    variables = run(optimizer, range(10))
    optimizer.unperturb()
    optimizer.unperturb()
    optimizer.perturb()
    optimizer.perturb()
    run(optimizer, range(10, 20), variables)
    assert_alike(variables, paper_run(20, lambda step: 0.01, 0.9, 0.5)[1])


def test_steps_rightly_from_weights_without_shift():
    optimizer = MSAM(0.01, momentum=0.5, rho=0.5)
    variables = run(optimizer, range(3))
    before = values_of(optimizer.states("momentum"))
    optimizer.unperturb()
    weights = values_of(variables)
    run(optimizer, [3], variables)
    optimizer.unperturb()
    expected = [
        w - 0.01 * (0.5 * v + slope)
        for w, v, slope in zip(
            weights, before, slopes_at(weights, 3), strict=True
        )
    ]
    assert_alike(variables, expected)


def fitted(optimizer, epochs=(4,), **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    for count in epochs:
        model.fit(
            *(x, x[:, :2]),
            batch_size=8,
            shuffle=False,
            verbose=0,
            epochs=count,
            **options,
        )
    return model, x


def test_fit_shows_the_weights_themselves_and_trains_at_the_shifted_ones():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([w.copy() for w in self.model.get_weights()])

    model, x = fitted(MSAM(0.05, rho=0.5), callbacks=[Watch()])
    by_hand, _ = fitted(MSAM(0.05, rho=0.5), epochs=())
    kernel, bias = (w.astype("float64") for w in by_hand.get_weights())
    momentums, shift = [np.zeros_like(kernel), np.zeros_like(bias)], 0.0
    for weights in seen:
        at = [
            w - shift * v
            for w, v in zip((kernel, bias), momentums, strict=True)
        ]
        error = (x @ at[0] + at[1] - x[:, :2]) * 2 / 16
        slopes = [x.T @ error, error.sum(axis=0)]
        momentums = [
            0.9 * v + g for v, g in zip(momentums, slopes, strict=True)
        ]
        kernel, bias = kernel - 0.05 * momentums[0], bias - 0.05 * momentums[1]
        shift = 0.5 / np.sqrt(sum(np.sum(v**2) for v in momentums))
        assert_close(weights, (kernel, bias))
    assert not np.any(model.optimizer.shift.numpy())


def test_two_fits_are_like_one():
    once, _ = fitted(MSAM(0.05, rho=0.5))
    twice, _ = fitted(MSAM(0.05, rho=0.5), epochs=(1, 3))
    assert_alike(once.weights, values_of(twice.weights))


def test_fit_ends_with_the_average_where_one_is_kept():
    optimizer = MSAM(0.05, rho=0.5, use_ema=True, ema_momentum=0.5)
    model, _ = fitted(optimizer)
    for weight, average in zip(
        model.trainable_variables,
        optimizer._model_variables_moving_average,
        strict=True,
    ):
        np.testing.assert_array_equal(*values_of([weight, average]))
    assert not np.any(optimizer.shift.numpy())


def test_is_no_trouble_before_it_is_built():
    optimizer = MSAM()
    optimizer.perturb()
    optimizer.unperturb()
    optimizer.finalize_variable_values([])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [{"learning_rate": -0.1}, {"momentum": 1.0}, {"rho": -0.1}],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of MSAM must be"):
        MSAM(**arguments)
