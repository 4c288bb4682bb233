import json

import keras
import numpy as np
import pytest

from keras_regopt._config import SignatureConfig, signature_arguments

pytestmark = pytest.mark.any_backend


class Base(SignatureConfig):
    def __init__(self, rate, **kwargs):
        self.rate = rate


class Passing(Base):
    def __init__(self, own=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.own = own


class Closed(Base):
    def __init__(self, own=None):
        super().__init__(rate=3)
        self.own = own


def test_collects_the_arguments_that_a_constructor_hands_on():
    assert list(signature_arguments(Passing)) == ["own", "rate"]
    assert list(signature_arguments(Closed)) == ["own"]


def test_holds_plain_json_values():
    thing = Passing(own=(np.float32(0.5), np.int64(3)), rate={"a": (1, None)})
    config = thing.get_config()
    assert config == {"own": [0.5, 3], "rate": {"a": [1, None]}}
    assert json.loads(json.dumps(config)) == config


def test_keeps_a_decimal_number_as_it_was_given():
    assert Passing(rate=0.01).get_config()["rate"] == 0.01


def test_brings_nested_keras_objects_back():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    thing = Passing(own=[schedule, {"deep": schedule}], rate=1)
    again = Passing.from_config(json.loads(json.dumps(thing.get_config())))
    assert isinstance(again.own[0], keras.optimizers.schedules.CosineDecay)
    assert again.own[1]["deep"].decay_steps == 10
    assert again.get_config() == thing.get_config()


def test_tells_which_argument_was_not_kept():
    class Forgetful(SignatureConfig):
        def __init__(self, rate=1):
            pass

    with pytest.raises(AttributeError, match="must keep its argument `rate`"):
        Forgetful().get_config()
