import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    gradients,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers.wrappers.exponential_moving_average import (
    ExponentialMovingAverage,
)
from keras_regopt.testing._backend import backend
from keras_regopt.testing._samples import data, dense_model, fit, modes

QUICK = "jit" if backend() == "jax" else "eager"
STRICT = modes()[-1]


def sgd(**options):
    return keras.optimizers.SGD(0.1, momentum=0.9, **options)


def run_step_by_step(optimizer, steps, variables=None):
    """The weights before the first and after each step."""
    variables = variables or variables_at_start()
    yield values_of(variables)
    for step in range(steps):
        yield run(optimizer, 1, variables, first=step)


def weighted_mean(points, momenta, starts_with_weight):
    """The average from its definition: each point's weight in the sum."""
    weights = [
        (1 - momentum) * np.prod(momenta[i + 1 :])
        for i, momentum in enumerate(momenta)
    ]
    start, *points = points
    if starts_with_weight:
        weights, points = [np.prod(momenta), *weights], [start, *points]
    weights = np.array(weights) / np.sum(weights)
    return [
        sum(w * p for w, p in zip(weights, column, strict=True))
        for column in zip(*points, strict=True)
    ]


# Nearer to one, optax loses digits in its correction.
@pytest.mark.parametrize("momentum", last_everywhere(0.0, 0.9, 0.99))
def test_follows_optax_with_bias_correction(momentum):
    optimizer = ExponentialMovingAverage(sgd(), momentum)
    _, *points = run_step_by_step(optimizer, 25)
    average = optax.ema(momentum, debias=True)
    state = average.init(gradients(1000))
    for point in points:
        expected, state = average.update(point, state)
    assert_close(optimizer.average_values(), expected)


@pytest.mark.parametrize("momentum", last_everywhere(0.6, 0.999))
@pytest.mark.parametrize("bias_correction", last_everywhere(False, True))
@pytest.mark.parametrize("warm_up", last_everywhere(False, True))
def test_is_the_mean_of_its_definition(momentum, bias_correction, warm_up):
    optimizer = ExponentialMovingAverage(
        sgd(), momentum, bias_correction, warm_up
    )
    points = list(run_step_by_step(optimizer, 25))
    momenta = [
        min(momentum, (1 + t) / (10 + t)) if warm_up else momentum
        for t in range(25)
    ]
    expected = weighted_mean(points, momenta, not bias_correction)
    assert_close(optimizer.average_values(), expected)


def test_leaves_the_training_as_it_is():
    assert_close(run(ExponentialMovingAverage(sgd())), run(sgd()), rtol=1e-6)


@pytest.mark.any_case
@pytest.mark.parametrize("mode", sorted({QUICK, STRICT}))
@pytest.mark.parametrize("overwrite", [True, False])
def test_the_weights_become_the_average_at_the_end_of_fit(mode, overwrite):
    optimizer = ExponentialMovingAverage(sgd(), 0.9, overwrite=overwrite)
    model = dense_model(optimizer, mode=mode)
    plain = dense_model(sgd(), mode=mode)
    fit(model), fit(plain)
    raw = values_of(plain.weights)
    average = optimizer.average_values()
    pairs = zip(average, raw, strict=True)
    assert max(np.abs(a - r).max() for a, r in pairs) > 1e-3
    assert_close(values_of(model.weights), average if overwrite else raw)


@pytest.mark.any_backend
def test_counts_the_steps_of_an_accumulating_optimizer():
    accumulating = sgd(gradient_accumulation_steps=2)
    optimizer = ExponentialMovingAverage(accumulating, 0.8)
    points = list(run_step_by_step(optimizer, 20))
    expected = weighted_mean(points[::2], [0.8] * 10, False)
    assert_close(optimizer.average_values(), expected)


def test_averages_half_precision_weights_in_single_precision():
    variables = variables_at_start("bfloat16")
    optimizer = ExponentialMovingAverage(sgd(), 0.999)
    points = list(run_step_by_step(optimizer, 20, variables))
    expected = weighted_mean(points, [0.999] * 20, False)
    assert_close(optimizer.average_values(), expected)


def test_gives_the_weights_themselves_before_the_first_step():
    variables = variables_at_start()
    optimizer = ExponentialMovingAverage(sgd())
    optimizer.build(variables)
    assert_close(optimizer.average_values(), values_of(variables), rtol=0)
    optimizer.finalize_variable_values(variables)
    assert_close(values_of(variables), gradients(1000), rtol=0)


def test_goes_on_after_a_fit_from_the_average():
    optimizer = ExponentialMovingAverage(sgd(), 0.9)
    model = dense_model(optimizer, mode=QUICK)
    x, y = data()
    model.fit(x, y, epochs=3, verbose=0)
    before = model.evaluate(x, y, verbose=0)
    history = model.fit(x, y, epochs=1, verbose=0).history
    assert history["loss"][0] == pytest.approx(before, rel=1e-5)
    assert optimizer.averaged_steps.numpy().tolist() == [4, 4, 4]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"inner": 3}, "inner"),
        ({"inner": "sgd", "momentum": 1.0}, "momentum"),
        ({"inner": "sgd", "momentum": -0.1}, "momentum"),
        ({"inner": "sgd", "bias_correction": 1}, "bias_correction"),
        ({"inner": "sgd", "warm_up": 10}, "warm_up"),
        ({"inner": "sgd", "overwrite": "no"}, "overwrite"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(
        ValueError, match=f"`{name}` of ExponentialMovingAverage must be"
    ):
        ExponentialMovingAverage(**arguments)
