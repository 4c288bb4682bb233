import copy

import keras
import numpy as np
import pytest
from keras import ops
from trajectories import (
    SHAPES,
    assert_close,
    gradients,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers import Lookahead
from keras_regopt.optimizers.transformations.adaptive_gradient_clipping import (
    AdaptiveGradientClipping,
)
from keras_regopt.optimizers.transformations.cautious_mask import CautiousMask
from keras_regopt.optimizers.transformations.transformed import Transformed
from keras_regopt.optimizers.wrappers.hypergradient_descent import (
    HypergradientDescent,
)


def reference(
    rate, beta, direction, multiplicative=False, weight_decay=0.0, steps=25
):
    """Algorithms 4 to 6 of the paper: values and rates after each step.

    `direction(i, step, gradient, rate)` is the step of a variable at a rate
    of 1.
    """
    values = [v.astype("float64") for v in gradients(1000)]
    last = [np.zeros(s) for s in SHAPES]
    rates = []
    for step in range(steps):
        pairs = list(zip(gradients(step), last, strict=True))
        slope = sum(np.sum(g.astype("float64") * d) for g, d in pairs)
        if multiplicative:
            lengths = [
                np.sqrt(sum(np.sum(np.square(x, dtype="float64")) for x in xs))
                for xs in zip(*pairs, strict=True)
            ]
            cosine = slope / np.prod(lengths) if step else 0.0
            rate = rate * (1 - beta * cosine)
        else:
            rate = rate - beta * slope
        rates.append(rate)
        for i, (gradient, _) in enumerate(pairs):
            last[i] = direction(i, step, gradient, rate)
            last[i] = last[i] - weight_decay * values[i]
            values[i] = values[i] + rate * last[i]
    return values, rates


def plain(i, step, gradient, rate):
    return -gradient.astype("float64")


def momentum(nesterov):
    # Keras' velocity holds the rates of the steps that it was made of.
    velocities = [np.zeros(s) for s in SHAPES]

    def direction(i, step, gradient, rate):
        velocities[i] = 0.9 * velocities[i] - rate * gradient
        move = velocities[i]
        if nesterov:
            move = 0.9 * velocities[i] - rate * gradient
        return move / rate

    return direction


def adam():
    slots = [[np.zeros(s), np.zeros(s)] for s in SHAPES]

    def direction(i, step, gradient, rate):
        gradient = gradient.astype("float64")
        slots[i][0] = 0.8 * slots[i][0] + 0.2 * gradient
        slots[i][1] = 0.9 * slots[i][1] + 0.1 * gradient**2
        first, second = slots[i]
        correction = np.sqrt(1 - 0.9 ** (step + 1)) / (1 - 0.8 ** (step + 1))
        return -correction * first / (np.sqrt(second) + 1e-7)

    return direction


def rates_and_values(optimizer, steps=25, dtype="float32"):
    variables = variables_at_start(dtype)
    rates = []
    for step in range(steps):
        values = run(optimizer, 1, variables, first=step)
        rates.append(float(optimizer.learning_rate))
    return values, rates


INNER = {
    "sgd": (lambda **a: keras.optimizers.SGD(0.05, **a), lambda: plain, 1e-4),
    "momentum": (
        lambda **a: keras.optimizers.SGD(0.05, momentum=0.9, **a),
        lambda: momentum(False),
        1e-5,
    ),
    "nesterov": (
        lambda **a: keras.optimizers.SGD(
            0.05, momentum=0.9, nesterov=True, **a
        ),
        lambda: momentum(True),
        1e-5,
    ),
    "adam": (
        lambda **a: keras.optimizers.Adam(0.05, beta_1=0.8, beta_2=0.9, **a),
        adam,
        1e-4,
    ),
}


@pytest.mark.any_case
@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("weight_decay", [None, 0.1])
def test_follows_the_paper_for_25_steps(name, weight_decay):
    inner, direction, beta = INNER[name]
    inner = inner(weight_decay=weight_decay)
    values, rates = rates_and_values(HypergradientDescent(inner, beta))
    expected, expected_rates = reference(
        0.05, beta, direction(), weight_decay=weight_decay or 0.0
    )
    assert np.ptp(expected_rates) > 0.001
    np.testing.assert_allclose(rates, expected_rates, rtol=1e-5)
    assert_close(values, expected, rtol=1e-5, atol=3e-6)


@pytest.mark.any_case
@pytest.mark.parametrize("name", INNER)
def test_follows_the_multiplicative_rule_of_the_paper(name):
    inner, direction, _ = INNER[name]
    optimizer = HypergradientDescent(inner(), 0.1, multiplicative=True)
    values, rates = rates_and_values(optimizer)
    expected, expected_rates = reference(0.05, 0.1, direction(), True)
    np.testing.assert_allclose(rates, expected_rates, rtol=1e-5)
    assert_close(values, expected, rtol=1e-5, atol=3e-6)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    outcomes = [
        rates_and_values(
            HypergradientDescent(keras.optimizers.SGD(0.05), 1e-4), 20, dtype
        )
        for dtype in ("bfloat16", "float32")
    ]
    assert_close(outcomes[0][0], outcomes[1][0], atol=0.1)
    np.testing.assert_allclose(outcomes[0][1], outcomes[1][1], rtol=0.05)


@pytest.mark.any_backend
@pytest.mark.parametrize("start", [0.001, 0.01])
def test_finds_a_good_rate_from_a_small_one(start):
    variable = keras.Variable(np.ones(3, "float32"))
    optimizer = HypergradientDescent(keras.optimizers.SGD(start), 0.01)
    for _ in range(100):
        gradient = ops.convert_to_tensor(values_of([variable])[0])
        optimizer.apply([gradient], [variable])
    assert np.abs(values_of([variable])[0]).max() < 0.05
    assert float(optimizer.learning_rate) > 0.05


def test_goes_on_from_a_rate_that_a_callback_sets():
    optimizer = HypergradientDescent(keras.optimizers.SGD(0.1), 0.01)
    variable = keras.Variable(0.0)
    gradient = ops.convert_to_tensor(2.0)
    optimizer.apply([gradient], [variable])
    optimizer.learning_rate = 0.5
    optimizer.apply([gradient], [variable])
    assert float(optimizer.learning_rate) == pytest.approx(0.54)
    assert float(optimizer.inner.learning_rate) == pytest.approx(0.54)


def test_sees_the_gradients_as_they_were_before_the_loss_was_scaled():
    ends = [
        run(
            HypergradientDescent(
                keras.optimizers.SGD(0.05, loss_scale_factor=scale), 1e-4
            ),
            scale=scale or 1.0,
        )
        for scale in (None, 64.0)
    ]
    assert_close(*ends)


@pytest.mark.any_backend
def test_a_rate_of_zero_stays_finite():
    optimizer = HypergradientDescent(keras.optimizers.SGD(0.0), 0.1)
    values, rates = rates_and_values(optimizer, 3)
    assert np.all(np.isfinite(rates))
    assert_close(values, gradients(1000))


def test_leaves_variables_without_gradient_out():
    optimizer = HypergradientDescent(keras.optimizers.SGD(0.1), 0.01)
    variables = variables_at_start()
    given = [ops.convert_to_tensor(g) for g in gradients(0)]
    given[1] = None
    for _ in range(2):
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            optimizer.apply(given, variables)
    squares = sum(np.sum(gradients(0)[i] ** 2) for i in (0, 2, 3))
    expected = 0.1 + 0.01 * squares
    assert float(optimizer.learning_rate) == pytest.approx(expected, rel=1e-4)


@pytest.mark.any_backend
def test_wrappers_nest_and_reload_with_the_rate(tmp_path):
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    inner = Transformed(
        Lookahead(keras.optimizers.Adam(0.01), 2),
        [AdaptiveGradientClipping(0.5), CautiousMask()],
    )
    model.compile(HypergradientDescent(inner, 1e-3), "mse")
    again = {"epochs": 3, "shuffle": False, "verbose": 0}
    model.fit(x, x[:, :1], **again)
    assert float(model.optimizer.learning_rate) != pytest.approx(0.01)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    rates = [float(m.optimizer.learning_rate) for m in (model, reloaded)]
    assert rates[0] == rates[1]
    expected = model.fit(x, x[:, :1], **again).history["loss"]
    assert reloaded.fit(x, x[:, :1], **again).history["loss"] == expected


@pytest.mark.any_backend
def test_a_deep_copy_goes_on_where_the_original_stands():
    optimizer = HypergradientDescent(keras.optimizers.Adam(0.01), 1e-5)
    variables = variables_at_start()
    run(optimizer, 6, variables)
    copied = copy.deepcopy(optimizer)
    values = values_of(variables)
    expected = run(optimizer, 5, variables, first=6)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    for a, b in zip(run(copied, 5, variables, first=6), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(copied.learning_rate) == float(optimizer.learning_rate)


SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"inner": 3}, "inner"),
        ({"inner": keras.optimizers.SGD(SCHEDULE)}, "inner"),
        ({"inner": keras.optimizers.SGD(lambda: 0.1)}, "inner"),
        ({"inner": Lookahead(keras.optimizers.SGD(SCHEDULE))}, "inner"),
        (
            {"inner": keras.optimizers.SGD(gradient_accumulation_steps=2)},
            "inner",
        ),
        ({"inner": HypergradientDescent("sgd")}, "inner"),
        (
            {"inner": "sgd", "hypergradient_learning_rate": -1},
            "hypergradient_learning_rate",
        ),
        ({"inner": "sgd", "multiplicative": 1}, "multiplicative"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    match = f"`{name}` of HypergradientDescent must be"
    with pytest.raises(ValueError, match=match):
        HypergradientDescent(**arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [SCHEDULE, lambda: 0.1])
def test_refuses_a_schedule_that_is_set_later(rate):
    optimizer = HypergradientDescent("sgd")
    with pytest.raises(ValueError, match="`learning_rate` of Hypergradient"):
        optimizer.learning_rate = rate
