import keras
import numpy as np
import pytest

from keras_regopt.regularizers import GroupLasso
from keras_regopt.testing._backend import gradient

KERNEL = np.random.default_rng(0).normal(size=(3, 3, 4, 5))


@pytest.mark.parametrize("axis", [0, -1, (0, 1, 2), [3]])
def test_equals_the_formula(axis):
    penalty = GroupLasso(0.1, axis)(KERNEL.astype("float32"))
    norms = np.sqrt(
        np.square(KERNEL).sum(
            axis=np.array(axis).tolist() if np.ndim(axis) == 0 else tuple(axis)
        )
    )
    assert float(penalty) == pytest.approx(0.1 * norms.sum(), rel=1e-5)


def test_has_the_slope_of_the_formula_and_none_at_zero():
    weight = np.array([[3.0, 0.0, 1.0], [4.0, 0.0, 0.0]])
    slope = gradient(GroupLasso(0.1), weight.astype("float32"))
    expected = [[0.06, 0.0, 0.1], [0.08, 0.0, 0.0]]
    np.testing.assert_allclose(slope, expected, rtol=1e-6)


def test_drives_a_useless_unit_down_together():
    # The third input tells nothing; the rows of the kernel are the groups.
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 3)).astype("float32")
    y = x[:, :2] @ random.normal(size=(2, 4)).astype("float32")
    layer = keras.layers.Dense(4, kernel_regularizer=GroupLasso(0.1, axis=1))
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    # One epoch: to begin one takes TensorFlow longer than its step.
    x, y = np.tile(x, (200, 1)), np.tile(y, (200, 1))
    model.fit(x, y, batch_size=200, shuffle=False, verbose=0)
    norms = np.linalg.norm(keras.ops.convert_to_numpy(layer.kernel), axis=1)
    assert norms[2] < 0.02 < 0.5 < norms[:2].min()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rate": -1}, "rate"),
        ({"axis": 0.5}, "axis"),
        ({"axis": []}, "axis"),
        ({"axis": [0, 0]}, "axis"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of GroupLasso must be"):
        GroupLasso(**arguments)
