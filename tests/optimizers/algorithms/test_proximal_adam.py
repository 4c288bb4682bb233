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

from keras_regopt._prox import shrink_groups_in_metric
from keras_regopt.optimizers import ProximalAdam


def group_prox(x, t, scale, group):
    """One group in a diagonal metric, by bisection for its norm."""
    if np.linalg.norm(x / t) <= group:
        return np.zeros_like(x)
    radius = scipy.optimize.brentq(
        lambda r: np.linalg.norm(x / (scale * r + t * group)) - 1,
        0,
        np.linalg.norm(x),
        xtol=1e-15,
    )
    return x / (scale + t * group / radius)


def numpy_prox(x, t, l1=0, l2=0, group=0, minimum=None, maximum=None):
    x = np.sign(x) * np.maximum(np.abs(x) - t * l1, 0)
    scale = 1 + 2 * t * l2
    if group:
        columns = (
            [
                group_prox(
                    x.reshape(-1, x.shape[-1])[:, i],
                    t.reshape(-1, x.shape[-1])[:, i],
                    scale.reshape(-1, x.shape[-1])[:, i],
                    group,
                )
                for i in range(x.shape[-1])
            ]
            if x.ndim
            else [group_prox(x[None], t[None], scale[None], group)]
        )
        return np.stack(columns, -1).reshape(x.shape)
    x = x / scale
    return x if minimum is maximum is None else np.clip(x, minimum, maximum)


def numpy_run(steps, rate_at, weight_decay=0, epsilon=1e-7, **penalty):
    """Adam as Kingma and Ba write it, and the penalty in its metric."""
    weights = [v.astype("float64") for v in gradients(1000)]
    means = [np.zeros_like(w) for w in weights]
    squares = [np.zeros_like(w) for w in weights]
    for step in range(steps):
        rate = rate_at(step)
        for i, gradient in enumerate(gradients(step)):
            gradient = gradient.astype("float64")
            means[i] = 0.9 * means[i] + 0.1 * gradient
            squares[i] = 0.999 * squares[i] + 0.001 * gradient**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            # Keras adds epsilon before the bias is corrected.
            root = np.sqrt(1 - 0.999 ** (step + 1))
            t = rate * root / (np.sqrt(squares[i]) + epsilon)
            x = weights[i] * (1 - rate * weight_decay) - t * mean
            weights[i] = numpy_prox(x, t, **penalty)
    return weights


PENALTIES = [
    {"l1": 1.0},
    {"l1": 0.5, "l2": 0.3},
    {"group": 0.5},
    {"l1": 0.2, "l2": 0.3, "group": 0.3},
    {"minimum": -0.5, "maximum": 0.25},
]


@pytest.mark.parametrize("penalty", last_everywhere(*PENALTIES))
def test_follows_the_closed_form_for_twenty_five_steps(penalty):
    ours = run(ProximalAdam(0.05, **penalty), 25)
    theirs = numpy_run(25, lambda step: 0.05, **penalty)
    assert_close(ours, theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a == 0, b == 0)


@pytest.mark.any_backend
def test_follows_the_closed_form_under_a_schedule_and_weight_decay():
    schedule, rate_at = falling()
    ours = run(ProximalAdam(schedule, weight_decay=0.1, l1=0.5), 20)
    theirs = numpy_run(20, rate_at, weight_decay=0.1, l1=0.5)
    assert_close(ours, theirs)


def test_makes_the_steps_of_keras_adam_without_a_penalty():
    ours = run(ProximalAdam(0.05), 20)
    theirs = run(keras.optimizers.Adam(0.05), 20)
    for a, b in zip(ours, theirs, strict=True):
        # Keras corrects the bias by a difference that loses some digits.
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    # Half-precision averages need a shorter memory than that of 0.999.
    options = {"l1": 0.2, "group": 0.1, "beta_2": 0.9}
    assert_close_in_half_precision(lambda: ProximalAdam(0.02, **options))


def test_solves_for_groups_to_single_precision_whatever_the_steps():
    random = np.random.default_rng(0)
    # Steps of one group that lie up to six powers of ten apart.
    t = 10 ** random.uniform(-4, 2, size=(12, 300))
    x = random.normal(size=t.shape) * t * 10 ** random.uniform(-3, 1, size=300)
    scale = 1 + 2 * t * 10 ** random.uniform(-3, 0, size=300)
    ours = keras.ops.convert_to_numpy(
        shrink_groups_in_metric(
            *(keras.ops.convert_to_tensor(v, "float32") for v in (x, t, scale)),
            group=0.05,
            axis=(0,),
        )
    )
    theirs = np.stack(
        [group_prox(x[:, i], t[:, i], scale[:, i], 0.05) for i in range(300)],
        -1,
    )
    zeros = np.all(theirs == 0, 0)
    assert 20 < np.sum(zeros) < 280
    np.testing.assert_array_equal(np.all(ours == 0, 0), zeros)
    # Close to the threshold, what remains of a group is a small difference.
    errors = np.abs(ours - theirs).max(0) / np.abs(x / scale).max(0)
    assert np.max(errors) < 2e-6


def test_finds_the_optimum_of_the_lasso_of_scikit_learn():
    x, y = regression()
    lasso = sklearn.linear_model.Lasso(alpha=0.1, tol=1e-12)
    lasso.fit(x.astype("float64"), y)
    # The mean squared error is twice the loss of scikit-learn.
    optimizer = ProximalAdam(0.05, l1=0.2, exclude="bias", beta_2=0.99)
    kernel, bias = fitted(optimizer, 500)
    np.testing.assert_allclose(kernel[:, 0], lasso.coef_, atol=1e-5)
    np.testing.assert_allclose(bias[0], lasso.intercept_, atol=1e-5)
    np.testing.assert_array_equal(kernel[:, 0] == 0, lasso.coef_ == 0)


def test_finds_the_optimum_of_the_group_lasso_of_scikit_learn():
    x, y = regression()
    targets = np.stack([y, y], -1)
    lasso = sklearn.linear_model.MultiTaskLasso(alpha=0.1, tol=1e-10)
    lasso.fit(x.astype("float64"), targets)
    # Keras averages over the targets, scikit-learn adds them up.
    optimizer = ProximalAdam(
        0.05, group=0.1, group_axis=-1, exclude="bias", beta_2=0.99
    )
    kernel, _ = fitted(optimizer, 500, units=2)
    np.testing.assert_allclose(kernel, lasso.coef_.T, atol=1e-4)
    np.testing.assert_array_equal(kernel == 0, lasso.coef_.T == 0)


@pytest.mark.any_backend
def test_a_rate_of_zero_leaves_the_weights_where_they_are():
    weights = np.array([[0.5, 0.0], [0.0, 0.0]], "float32")
    variable = keras.Variable(weights)
    ProximalAdam(0.0, l1=0.1, group=0.1).apply([np.ones((2, 2))], [variable])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), weights)


def test_does_not_hide_a_gradient_that_is_not_a_number():
    variable = keras.Variable(np.ones((2, 2)))
    gradient = np.array([[np.nan, 1.0], [1.0, 1.0]])
    ProximalAdam(0.1, l1=0.1, group=0.1).apply([gradient], [variable])
    assert np.isnan(keras.ops.convert_to_numpy(variable)[0, 0])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("learning_rate", {"learning_rate": -0.1}),
        ("l1", {"l1": -1}),
        ("l2", {"l2": 0.1, "weight_decay": 0.1}),
        ("group", {"group": 0.1, "minimum": 0.1}),
        ("exclude", {"exclude": 3}),
        ("beta_1", {"beta_1": 1.0}),
        ("beta_2", {"beta_2": 0.0}),
        ("epsilon", {"epsilon": 0.0}),
    ],
)
def test_refuses_bad_arguments(name, arguments):
    with pytest.raises(ValueError, match=f"`{name}` of ProximalAdam must be"):
        ProximalAdam(**arguments)
