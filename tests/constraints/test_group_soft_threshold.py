import keras
import numpy as np
import pytest
from sparse_regression import fitted, regression

from keras_regopt.constraints import GroupSoftThreshold

KERNEL = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype("float32")


@pytest.mark.parametrize(
    ("axis", "within"),
    [(None, (0, 1, 2)), ((0, 1, 2), (0, 1, 2)), (3, 3), ([2, -1], (2, 3))],
)
def test_equals_the_formula(axis, within):
    norms = np.sqrt(np.sum(np.square(KERNEL), axis=within, keepdims=True))
    # Some groups vanish, and some do not.
    threshold = float(np.median(norms))
    expected = KERNEL * np.maximum(1 - threshold / norms, 0)
    result = GroupSoftThreshold(threshold, axis)(KERNEL)
    result = keras.ops.convert_to_numpy(result)
    assert np.any(result == 0)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-6)


def test_takes_the_entries_of_a_vector_as_groups():
    result = GroupSoftThreshold(0.5)(np.array([2.0, -0.25, -1.0], "float32"))
    np.testing.assert_allclose(result, [1.5, 0, -0.5])


def test_finds_the_zeros_of_the_group_lasso():
    # Rows are groups: an input goes for both units, or for none.
    strength, rate = 0.5, 0.1
    constraint = GroupSoftThreshold(rate * strength, axis=1)
    kernel, bias = fitted(
        keras.optimizers.SGD(rate), 400, units=2, kernel_constraint=constraint
    )
    x, y = regression()
    # The conditions under which the penalized loss is least.
    slope = x.T @ (x @ kernel + bias - y[:, None]) / len(x)
    norms = np.linalg.norm(kernel, axis=1)
    gone = norms == 0
    assert 0 < gone.sum() < len(gone)
    assert np.all(np.linalg.norm(slope[gone], axis=1) <= strength)
    direction = kernel[~gone] / norms[~gone, None]
    np.testing.assert_allclose(slope[~gone], -strength * direction, atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"threshold": -1}, "threshold"), ({"axis": [0, 0]}, "axis")],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of GroupSoftThreshold"):
        GroupSoftThreshold(**arguments)
