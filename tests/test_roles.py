"""What stands in the place of a regularizer or a constraint, and is none."""

import keras
import numpy as np
import pytest
from keras_versions import since_keras

from keras_regopt.augmentation import RandomAffine
from keras_regopt.constraints import SoftThreshold
from keras_regopt.layers import (
    BatchRenormalization,
    DropBlock2D,
    RobustScaling,
    WeightStandardization,
)
from keras_regopt.regularizers import L1, RDrop, Scheduled, SpectralNorm

pytestmark = pytest.mark.any_backend

# Before, Keras refuses these itself.
taken = since_keras("3.15", "anything that can be called for a regularizer")


@taken
@pytest.mark.parametrize(
    "make",
    [
        DropBlock2D,
        RobustScaling,
        BatchRenormalization,
        RandomAffine,
        lambda: WeightStandardization(keras.layers.Dense(3)),
        lambda: RDrop(keras.Sequential([keras.layers.Dense(3)])),
    ],
)
def test_a_layer_is_no_regularizer(make):
    thing = make()
    dense = keras.layers.Dense(3, kernel_regularizer=thing)
    dense.build((None, 2))
    name = type(thing).__name__
    with pytest.raises(
        ValueError,
        match=rf"weight 'dense\w*/kernel' .*{name}, which is a layer",
    ):
        _ = dense.losses


@taken
def test_a_constraint_is_no_regularizer_nor_the_other_way_round():
    dense = keras.layers.Dense(3, kernel_regularizer=SoftThreshold())
    dense.build((None, 2))
    with pytest.raises(ValueError, match="constraint: pass it as a `kernel_c"):
        _ = dense.losses
    for penalty in (L1(), SpectralNorm()):
        dense = keras.layers.Dense(3, kernel_constraint=penalty)
        dense.build((None, 2))
        with pytest.raises(ValueError, match="is a regularizer: pass it as"):
            keras.optimizers.SGD().apply(
                [keras.ops.ones((2, 3)), keras.ops.ones((3,))],
                dense.trainable_variables,
            )


def test_a_layer_may_still_be_called_with_a_weight():
    variable = keras.Variable(np.ones((4, 6, 6, 3)), dtype="float32")
    assert DropBlock2D()(variable, training=False).shape == (4, 6, 6, 3)


def test_a_class_in_the_place_of_an_object_is_named():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match=r"make an object of it, `L1\(...\)`"):
        Scheduled(L1, schedule)
    # Keras makes an object of a class itself, of its defaults.
    dense = keras.layers.Dense(3, kernel_regularizer=L1)
    assert repr(dense.kernel_regularizer) == "L1()"
