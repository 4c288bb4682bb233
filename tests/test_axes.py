import keras
import numpy as np
import pytest

from keras_regopt._axes import axes, axes_within
from keras_regopt.constraints import GroupSoftThreshold, Simplex
from keras_regopt.layers import (
    BatchRenormalization,
    ConcreteDropout,
    GhostBatchNormalization,
    RobustScaling,
    VariationalDropout,
)
from keras_regopt.optimizers import ProximalSGD
from keras_regopt.regularizers import GroupLasso, SparseGroupLasso

pytestmark = pytest.mark.any_backend


def test_counts_axes_from_the_front():
    assert axes_within("Thing", "axis", -1, (2, 3)) == (1,)
    assert axes_within("Thing", "axis", [0, -1], (2, 3, 4)) == (0, 2)
    assert axes("Thing", "axis", (np.int64(1), 0)) == [1, 0]
    assert axes("Thing", "axis", None, optional=True) is None


@pytest.mark.parametrize("value", [0.5, [], [1, 1], ["a"], None])
def test_refuses_what_names_no_axes(value):
    with pytest.raises(ValueError, match="`axis` of Thing must be an integer"):
        axes("Thing", "axis", value)


@pytest.mark.parametrize("value", [2, -3, [0, 2], [0, -2]])
def test_refuses_axes_that_a_tensor_does_not_have(value):
    with pytest.raises(
        ValueError, match=r"of the shape \(4, 3\), 0 to 1 or -2 to -1. Received"
    ):
        axes_within("Thing", "axis", value, (4, 3))


def test_spares_the_axis_of_the_batch():
    with pytest.raises(ValueError, match="other than the batch's"):
        axes_within("Thing", "axis", -2, (4, 3), first=1)


X = np.ones((4, 3), "float32")


@pytest.mark.parametrize(
    ("thing", "use"),
    [
        (GroupLasso(axis=5), lambda thing: thing(X)),
        (GroupLasso(axis=(0, -2)), lambda thing: thing(X)),
        (SparseGroupLasso(axis=5), lambda thing: thing(X)),
        (GroupSoftThreshold(axis=5), lambda thing: thing(X)),
        (Simplex(axis=5), lambda thing: thing(X)),
        (VariationalDropout(axis=5), lambda thing: thing(X, training=True)),
        (RobustScaling(axis=5), lambda thing: thing.adapt(X)),
        (BatchRenormalization(axis=5), lambda thing: thing(X)),
        (GhostBatchNormalization(axis=5), lambda thing: thing(X)),
        (
            ConcreteDropout(keras.layers.Dense(2), axis=5),
            lambda thing: thing(X, training=True),
        ),
        (
            ProximalSGD(group=0.1, group_axis=5),
            lambda thing: thing.build([keras.Variable(X)]),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_error_names_class_axis_and_shape(thing, use):
    name = type(thing).__name__
    with pytest.raises(
        ValueError, match=rf"axis` of {name} must be .*, 3\).*Received: "
    ):
        use(thing)
