import keras
import numpy as np
import pytest
import scipy.optimize

from keras_regopt.constraints import Simplex


def nearest(w, total):
    """The nearest point of the simplex, by a solver of least squares."""
    result = scipy.optimize.minimize(
        lambda p: np.sum((p - w) ** 2),
        np.full(len(w), total / len(w)),
        jac=lambda p: 2 * (p - w),
        bounds=[(0, None)] * len(w),
        constraints={"type": "eq", "fun": lambda p: p.sum() - total},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return result.x


@pytest.mark.parametrize(("total", "axis"), [(1, 0), (2.5, 0), (1, -1)])
def test_is_the_nearest_point(total, axis):
    w = np.random.default_rng(0).normal(size=(5, 4))
    expected = np.apply_along_axis(nearest, axis, w, total)
    result = Simplex(total, axis)(w.astype("float32"))
    result = keras.ops.convert_to_numpy(result)
    assert np.any(result == 0)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_leaves_a_point_of_the_simplex_where_it_is():
    w = np.array([[0.25, 1.0], [0.75, 0.0]], "float32")
    np.testing.assert_allclose(Simplex()(w), w, atol=1e-7)


def test_shares_equal_weights_equally():
    np.testing.assert_allclose(
        Simplex()(np.ones((4, 2))), np.full((4, 2), 0.25)
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"), [({"total": 0}, "total"), ({"axis": 0.5}, "axis")]
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of Simplex must be"):
        Simplex(**arguments)
