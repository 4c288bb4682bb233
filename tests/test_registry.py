import keras
import pytest

from keras_regopt import _registry
from keras_regopt._registry import register, registered
from keras_regopt.optimizers import RAdam

pytestmark = pytest.mark.any_backend


def test_registers_in_keras_serialization():
    name = keras.saving.get_registered_name(RAdam)
    assert name == "keras_regopt>RAdam"
    assert keras.saving.get_registered_object(name) is RAdam


def test_refuses_a_name_twice():
    class RAdam:
        pass

    with pytest.raises(ValueError, match="RAdam is registered already, by"):
        register(RAdam)


def test_lists_the_classes_of_a_kind_by_name():
    names = [c.__name__ for c in registered(keras.optimizers.Optimizer)]
    assert names == sorted(names)
    assert "RAdam" in names
    assert "Warmup" not in names
    assert len(registered()) == len(_registry._classes)
