import keras
import numpy as np
import pytest
import scipy.optimize
import sklearn.linear_model
from against_keras import last_everywhere
from sparse_regression import fitted, regression
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    gradients,
    run,
)

from keras_regopt.optimizers import ParameterGroup, ProximalSGD


def group_norms(w, axis):
    return np.sqrt(np.sum(np.square(w), axis=axis, keepdims=True))


def numpy_prox(x, t, l1=0, l2=0, group=0, minimum=None, maximum=None):
    """The textbook formulas, one after the other."""
    x = np.sign(x) * np.maximum(np.abs(x) - t * l1, 0)
    if group:
        norms = group_norms(x, tuple(range(x.ndim - 1)))
        x = x * np.maximum(0, 1 - t * group / np.maximum(norms, 1e-30))
    x = x / (1 + 2 * t * l2)
    return x if minimum is maximum is None else np.clip(x, minimum, maximum)


def numpy_run(steps, rate_at, momentum=0, weight_decay=0, **penalty):
    weights = [v.astype("float64") for v in gradients(1000)]
    ways = [np.zeros_like(w) for w in weights]
    for step in range(steps):
        rate = rate_at(step)
        for i, gradient in enumerate(gradients(step)):
            before = weights[i] * (1 - rate * weight_decay)
            x = before - rate * gradient + momentum * ways[i]
            weights[i] = numpy_prox(x, rate, **penalty)
            ways[i] = weights[i] - before
    return weights


PENALTIES = [
    {"l1": 0.5},
    {"l1": 0.5, "l2": 0.3},
    {"group": 0.5},
    {"l1": 0.2, "l2": 0.3, "group": 0.3},
    {"minimum": -0.5, "maximum": 0.25},
    {"l1": 0.5, "minimum": 0.1},
]


@pytest.mark.parametrize("penalty", last_everywhere(*PENALTIES))
@pytest.mark.parametrize("momentum", last_everywhere(0.0, 0.8))
def test_follows_the_closed_form_for_twenty_five_steps(penalty, momentum):
    ours = run(ProximalSGD(0.1, momentum=momentum, **penalty), 25)
    theirs = numpy_run(25, lambda step: 0.1, momentum, **penalty)
    # The rounding of a weight that was shrunk is a part of the momentum, which
    # carries it on, five times as much in the end.
    assert_close(ours, theirs, atol=3e-6 if momentum else 1e-6)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a == 0, b == 0)


@pytest.mark.any_backend
def test_follows_the_closed_form_under_a_schedule_and_weight_decay():
    schedule, rate_at = falling(0.2)
    options = {"momentum": 0.5, "weight_decay": 0.1, "l1": 0.3}
    ours = run(ProximalSGD(schedule, **options), 20)
    theirs = numpy_run(20, rate_at, **options)
    assert_close(ours, theirs)


@pytest.mark.parametrize("momentum", last_everywhere(0.0, 0.9))
def test_makes_the_steps_of_keras_sgd_without_a_penalty(momentum):
    ours = run(ProximalSGD(0.1, momentum=momentum), 20)
    theirs = run(keras.optimizers.SGD(0.1, momentum=momentum), 20)
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    options = {"l1": 0.2, "group": 0.1, "momentum": 0.5}
    assert_close_in_half_precision(lambda: ProximalSGD(0.1, **options))


@pytest.mark.parametrize("penalty", [p for p in PENALTIES if "group" in p])
def test_the_closed_form_is_the_minimum_that_it_claims_to_be(penalty):
    # Of the proximal problem itself, found without any formula.
    start = np.random.default_rng(0).normal(size=(3, 2))
    strengths = {"l1": 0.0, "l2": 0.0, **penalty}

    def problem(w):
        w = w.reshape(3, 2)
        return (
            np.sum((w - start) ** 2) / (2 * 0.7)
            + strengths["l1"] * np.sum(np.abs(w))
            + strengths["l2"] * np.sum(w**2)
            + strengths["group"] * np.sum(group_norms(w, 0))
        )

    best = scipy.optimize.minimize(
        problem,
        start.ravel(),
        method="Powell",
        options={"xtol": 1e-9, "ftol": 1e-14},
    )
    variable = keras.Variable(start)
    ProximalSGD(0.7, **penalty).apply([np.zeros((3, 2))], [variable])
    value = keras.ops.convert_to_numpy(variable)
    assert problem(value) <= best.fun + 1e-6
    np.testing.assert_allclose(value, best.x.reshape(3, 2), atol=1e-3)


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_finds_the_optimum_of_the_lasso_of_scikit_learn(momentum):
    x, y = regression()
    lasso = sklearn.linear_model.Lasso(alpha=0.1, tol=1e-12).fit(
        x.astype("float64"), y
    )
    # The mean squared error is twice the loss of scikit-learn.
    optimizer = ProximalSGD(0.1, l1=0.2, exclude="bias", momentum=momentum)
    kernel, bias = fitted(optimizer, 150)
    np.testing.assert_allclose(kernel[:, 0], lasso.coef_, atol=1e-5)
    np.testing.assert_allclose(bias[0], lasso.intercept_, atol=1e-5)
    np.testing.assert_array_equal(kernel[:, 0] == 0, lasso.coef_ == 0)


def test_finds_the_optimum_of_the_elastic_net_of_scikit_learn():
    x, y = regression()
    net = sklearn.linear_model.ElasticNet(
        alpha=0.2, l1_ratio=0.3, tol=1e-12
    ).fit(x.astype("float64"), y)
    optimizer = ProximalSGD(0.1, l1=2 * 0.2 * 0.3, l2=0.2 * 0.7, exclude="bias")
    kernel, bias = fitted(optimizer, 150)
    np.testing.assert_allclose(kernel[:, 0], net.coef_, atol=1e-5)
    np.testing.assert_allclose(bias[0], net.intercept_, atol=1e-5)


def test_finds_the_non_negative_least_squares_of_scipy():
    x, y = regression()
    expected, _ = scipy.optimize.nnls(x, y)
    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((12,)), layer])
    model.compile(ProximalSGD(0.1, minimum=0, momentum=0.5), "mse")
    model.fit(
        np.tile(x, (200, 1)),
        np.tile(y, 200),
        batch_size=60,
        shuffle=False,
        verbose=0,
    )
    kernel = keras.ops.convert_to_numpy(layer.kernel)[:, 0]
    np.testing.assert_allclose(kernel, expected, atol=1e-5)


def test_zeroes_all_useless_weights_where_a_regularizer_zeroes_none():
    kernel, _ = fitted(ProximalSGD(0.1, l1=0.2, exclude="bias"), 100)
    assert np.sum(kernel[3:] == 0) == 9
    assert np.all(kernel[:3] != 0)
    usual, _ = fitted(
        keras.optimizers.SGD(0.1),
        100,
        kernel_regularizer=keras.regularizers.L1(0.2),
    )
    assert np.sum(usual == 0) == 0


def test_momentum_does_not_drag_a_weight_from_zero():
    variable = keras.Variable([1.0])
    optimizer = ProximalSGD(0.1, l1=1.0, momentum=0.9)
    values = []
    for _ in range(40):
        # Less than the penalty, so that zero is the optimum.
        optimizer.apply([keras.ops.convert_to_tensor([0.5])], [variable])
        values.append(variable.numpy().item())
    assert values[-5:] == [0.0] * 5


def test_groups_are_units_or_the_axes_that_one_names():
    weights = np.array([[3.0, 0.1], [0.1, 0.1]])
    by_unit, by_input = keras.Variable(weights), keras.Variable(weights)
    zero = [np.zeros((2, 2))]
    ProximalSGD(1.0, group=0.5).apply(zero, [by_unit])
    ProximalSGD(1.0, group=0.5, group_axis=-1).apply(zero, [by_input])
    zeros = [
        (keras.ops.convert_to_numpy(v) == 0).tolist()
        for v in (by_unit, by_input)
    ]
    assert zeros[0] == [[False, True], [False, True]]
    assert zeros[1] == [[False, False], [True, True]]


def test_a_group_of_rates_scales_the_penalty_as_well():
    variables = [
        keras.Variable([1.0], name="slow"),
        keras.Variable([1.0], name="fast"),
    ]
    optimizer = ProximalSGD(
        0.1, l1=1.0, groups=[ParameterGroup("slow", learning_rate=0.5)]
    )
    optimizer.apply([np.zeros(1), np.zeros(1)], variables)
    values = [v.numpy().item() for v in variables]
    assert values == pytest.approx([0.95, 0.9])


def test_tells_the_value_of_the_penalty_without_the_excluded():
    variables = [
        keras.Variable([[3.0, 0.0], [-4.0, 0.0]], name="kernel"),
        keras.Variable([7.0, 7.0], name="bias"),
    ]
    optimizer = ProximalSGD(l1=0.1, l2=0.01, group=1.0, exclude="bias")
    expected = 0.1 * 7 + 0.01 * 25 + 5
    assert float(optimizer.penalty(variables)) == pytest.approx(expected)
    optimizer.build(variables)
    assert float(optimizer.penalty()) == pytest.approx(expected)
    assert float(ProximalSGD(exclude=".*").penalty(variables)) == 0


@pytest.mark.any_backend
def test_warns_of_an_exclusion_that_matches_nothing():
    optimizer = ProximalSGD(l1=0.1, exclude="gamma")
    with pytest.warns(UserWarning, match="'gamma'.*no variable.*kernel"):
        optimizer.build([keras.Variable([1.0], name="kernel")])


@pytest.mark.any_backend
def test_refuses_an_axis_that_a_variable_has_not():
    optimizer = ProximalSGD(group=0.1, group_axis=1)
    with pytest.raises(ValueError, match=r"`group_axis`.*bias"):
        optimizer.build([keras.Variable([1.0], name="bias")])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("learning_rate", {"learning_rate": -0.1}),
        ("l1", {"l1": -1}),
        ("l2", {"l2": -1}),
        ("l2", {"l2": 0.1, "weight_decay": 0.1}),
        ("group", {"group": -1}),
        ("group", {"group": 0.1, "maximum": 1.0}),
        ("exclude", {"exclude": "(bias"}),
        ("exclude", {"exclude": ["bias"]}),
        ("maximum", {"minimum": 1.0, "maximum": 0.0}),
        ("group_axis", {"group_axis": 0.5}),
        ("momentum", {"momentum": 1.0}),
    ],
)
def test_refuses_bad_arguments(name, arguments):
    with pytest.raises(ValueError, match=f"`{name}` of ProximalSGD must be"):
        ProximalSGD(**arguments)
