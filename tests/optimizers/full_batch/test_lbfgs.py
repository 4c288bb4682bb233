import itertools
import math

import keras
import numpy as np
import pytest
import scipy.optimize
import torch

from keras_regopt.optimizers import LBFGS
from keras_regopt.optimizers.full_batch._line_search import Point, strong_wolfe


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def quadratic(x):
    return 0.5 * (x**2 * torch.logspace(-2, 2, len(x), dtype=x.dtype)).sum()


def logistic(x):
    random = np.random.default_rng(0)
    inputs = torch.tensor(random.normal(size=(30, len(x))))
    signs = torch.tensor(random.choice([-1.0, 1.0], size=30))
    margins = signs * (inputs @ x)
    return torch.log1p(torch.exp(-margins)).mean() + 0.01 * (x**2).sum()


def start(function):
    size = {rosenbrock: 6, quadratic: 8, logistic: 5}[function]
    return np.random.default_rng(1).normal(size=size)


def evaluation(function):
    """A function of torch, with its gradient, for NumPy arrays."""

    def evaluate(vector):
        x = torch.tensor(vector, requires_grad=True)
        loss = function(x)
        (gradient,) = torch.autograd.grad(loss, x)
        return loss.item(), gradient.numpy()

    return evaluate


def run(method, function, count):
    found = method.iterations(evaluation(function), start(function))
    return [
        iteration for iteration, _ in zip(found, range(count + 1), strict=False)
    ]


def torch_run(function, count, **options):
    x = torch.nn.Parameter(torch.tensor(start(function)))
    optimizer = torch.optim.LBFGS(
        [x],
        line_search_fn="strong_wolfe",
        max_iter=1,
        max_eval=27,
        tolerance_grad=0,
        tolerance_change=0,
        **options,
    )

    def closure():
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        return loss

    way = [x.detach().numpy().copy()]
    for _ in range(count):
        optimizer.step(closure)
        way.append(x.detach().numpy().copy())
    return way


@pytest.mark.parametrize("function", [rosenbrock, quadratic, logistic])
@pytest.mark.parametrize(("learning_rate", "memory"), [(1.0, 10), (0.3, 3)])
def test_follows_torch_for_twenty_iterations(function, learning_rate, memory):
    # Beyond, the logistic loss falls by no more than its rounding.
    count = 14 if function is logistic else 20
    ours = run(LBFGS(learning_rate, memory), function, count)
    theirs = torch_run(function, count, lr=learning_rate, history_size=memory)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.vector, b, rtol=1e-5, atol=1e-7)


@pytest.mark.any_backend
@pytest.mark.parametrize("function", [rosenbrock, quadratic, logistic])
def test_finds_the_minimum_of_scipy(function):
    last = run(LBFGS(), function, 100)[-1]

    def problem(x):
        loss, gradient = evaluation(function)(x)
        return loss, gradient

    best = scipy.optimize.minimize(
        problem, start(function), jac=True, method="BFGS", tol=1e-10
    )
    np.testing.assert_allclose(last.vector, best.x, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("function", [rosenbrock, quadratic])
@pytest.mark.parametrize("memory", [0, 5])
def test_the_loss_falls_and_the_slope_flattens_in_every_iteration(
    function, memory
):
    found = run(LBFGS(memory=memory, curvature=0.5), function, 15)
    for before, after in itertools.pairwise(found):
        way = after.vector - before.vector
        slope, slope_after = (np.sum(way * i.gradient) for i in (before, after))
        assert after.loss <= before.loss + 1e-4 * slope
        assert abs(slope_after) <= 0.5 * abs(slope) * (1 + 1e-6)


@pytest.mark.any_backend
def test_goes_along_the_gradient_without_a_memory():
    found = run(LBFGS(memory=0), rosenbrock, 10)
    for before, after in itertools.pairwise(found):
        np.testing.assert_allclose(
            after.vector - before.vector,
            -after.step * before.gradient,
            rtol=1e-6,
            atol=1e-12,
        )


def line(function, slope):
    return lambda step: Point(step, function(step), slope(step), None)


@pytest.mark.any_backend
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0, 1e4])
@pytest.mark.parametrize(
    ("function", "slope"),
    [
        # The first three test functions of Moré and Thuente 1994.
        (
            lambda a: -a / (a**2 + 2),
            lambda a: (a**2 - 2) / (a**2 + 2) ** 2,
        ),
        (
            lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
            lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
        ),
        (
            lambda a: (a - 1) ** 2 - 0.01 * math.cos(40 * a),
            lambda a: 2 * (a - 1) + 0.4 * math.sin(40 * a),
        ),
        # Not defined beyond 2, as a logarithm may be.
        (
            lambda a: math.nan if a >= 2 else -math.log(2 - a) - 2 * a,
            lambda a: math.nan if a >= 2 else 1 / (2 - a) - 2,
        ),
    ],
)
def test_a_line_search_ends_where_both_wolfe_conditions_hold(
    first, function, slope
):
    evaluate = line(function, slope)
    begin = evaluate(0.0)
    found, count = strong_wolfe(
        evaluate,
        begin,
        first,
        armijo=1e-3,
        curvature=0.1,
        max_evaluations=40,
    )
    assert 1 <= count <= 40
    assert found.loss <= begin.loss + 1e-3 * found.step * begin.slope
    assert abs(found.slope) <= -0.1 * begin.slope


@pytest.mark.any_backend
def test_a_line_search_counts_its_evaluations_and_keeps_to_a_limit():
    calls = []

    def evaluate(step):
        calls.append(step)
        return Point(step, abs(step - 1e-6), math.copysign(1, step - 1e-6), 0)

    begin = Point(0.0, 1e-6, -1.0, None)
    options = {"armijo": 1e-4, "curvature": 0.9, "max_evaluations": 5}
    found, count = strong_wolfe(evaluate, begin, 1.0, **options)
    assert count == len(calls) == 5
    assert found.loss <= begin.loss


@pytest.mark.any_backend
def test_ends_where_no_step_lowers_the_loss():
    def evaluate(vector):
        # A gradient of the wrong sign.
        return float(np.sum(vector**2)), -2 * vector

    for values in ([1.0, 2.0], [0.0, 0.0]):
        found = LBFGS().iterations(evaluate, np.array(values))
        assert len(list(found)) == 1


@pytest.mark.any_backend
def test_survives_its_config():
    method = LBFGS(0.5, memory=3, curvature=0.1)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(method)
    )
    assert isinstance(again, LBFGS)
    assert again.get_config() == method.get_config()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("learning_rate", {"learning_rate": 0.0}),
        ("memory", {"memory": -1}),
        ("memory", {"memory": 2.5}),
        ("max_line_search_steps", {"max_line_search_steps": 0}),
        ("armijo", {"armijo": 0.5}),
        ("curvature", {"armijo": 0.2, "curvature": 0.1}),
        ("curvature", {"curvature": 1.0}),
    ],
)
def test_refuses_bad_arguments(name, arguments):
    with pytest.raises(ValueError, match=f"`{name}` of LBFGS must be"):
        LBFGS(**arguments)
