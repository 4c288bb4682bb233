import keras
import keras_tuner
import pytest

import keras_regopt
from keras_regopt import constraints, optimizers, regularizers

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    "name", ["AdamW", "adam_w", "ADAMW", "keras_regopt>AdamW"]
)
def test_makes_any_class_by_its_name(name):
    assert type(keras_regopt.get(name)) is optimizers.AdamW


def test_hands_the_arguments_on_also_one_called_name():
    adam = keras_regopt.get("adam", learning_rate=0.25, name="mine")
    assert (float(adam.learning_rate), adam.name) == (0.25, "mine")
    layer = keras_regopt.get("DropBlock2D", rate=0.4)
    assert layer.rate == 0.4


def test_the_error_has_the_names_that_come_near():
    with pytest.raises(ValueError, match="Did you mean `ElasticNet`"):
        keras_regopt.get("elastc_net")
    with pytest.raises(ValueError, match=r"no class 'Pudding'. `python -m ker"):
        keras_regopt.get("Pudding")
    with pytest.raises(ValueError, match="takes the name of a class"):
        keras_regopt.get(None)


def test_a_package_makes_its_own_classes_alone():
    assert type(regularizers.get("l1")) is regularizers.L1
    assert type(constraints.get("Simplex", total=2)) is constraints.Simplex
    with pytest.raises(ValueError, match=r"L1 is in keras_regopt.regularizers"):
        optimizers.get("L1")
    with pytest.raises(ValueError, match=r"made by keras.optimizers.get"):
        optimizers.get("Adadelta")
    with pytest.raises(ValueError, match="Did you mean `RAdam`"):
        optimizers.get("RAdamm")


def test_a_package_lets_objects_pass_and_reads_configurations():
    penalty = regularizers.L1(0.5)
    assert regularizers.get(penalty) is penalty
    assert regularizers.get(None) is None
    config = keras.saving.serialize_keras_object(penalty)
    assert repr(regularizers.get(config)) == "L1(l1=0.5)"
    with pytest.raises(ValueError, match="only with the name of a class"):
        regularizers.get(penalty, l1=0.1)


def test_a_choice_of_keras_tuner_becomes_an_object():
    hp = keras_tuner.HyperParameters()
    name = hp.Choice("penalty", ["SpectralNorm", "L2"])
    penalty = regularizers.get(name, rate=hp.Float("rate", 0.1, 1.0))
    assert repr(penalty) == "SpectralNorm(rate=0.1)"
