import numpy as np
import pytest

from keras_regopt.regularizers import SparseGroupLasso
from keras_regopt.testing._backend import gradient

KERNEL = np.random.default_rng(0).normal(size=(3, 3, 4, 5))


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("axis", [0, (0, 1, 2), [3]])
def test_has_the_value_and_the_slope_of_the_formula(axis, l1_ratio):
    axes = axis if isinstance(axis, int) else tuple(axis)
    norms = np.sqrt(np.square(KERNEL).sum(axis=axes, keepdims=True))
    penalty = SparseGroupLasso(0.1, l1_ratio, axis)
    expected = (1 - l1_ratio) * norms.sum() + l1_ratio * np.abs(KERNEL).sum()
    value = float(penalty(KERNEL.astype("float32")))
    assert value == pytest.approx(0.1 * expected, rel=1e-5)
    slope = gradient(penalty, KERNEL.astype("float32"))
    expected = (1 - l1_ratio) * KERNEL / norms + l1_ratio * np.sign(KERNEL)
    np.testing.assert_allclose(slope, 0.1 * expected, rtol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rate": -1}, "rate"),
        ({"l1_ratio": 1.1}, "l1_ratio"),
        ({"axis": []}, "axis"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of SparseGroupLasso must"):
        SparseGroupLasso(**arguments)
