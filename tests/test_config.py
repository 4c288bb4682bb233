import json

import keras
import numpy as np
import pytest

from keras_regopt._config import SignatureConfig, signature_arguments
from keras_regopt.layers import DropBlock2D
from keras_regopt.optimizers import AdamW, Lookahead, RAdam
from keras_regopt.schedules import OneCycle

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


class Part(SignatureConfig):
    def __init__(
        self, rate=0.1, name=None, pair=(1, 2), data_format=None, of=None
    ):
        self.rate, self.name, self.pair, self.of = rate, name, pair, of
        self.data_format = data_format


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({}, "Part()"),
        ({"rate": 0.1, "pair": [1, 2], "name": "part_3"}, "Part()"),
        ({"rate": float(np.float32(0.1))}, "Part()"),
        ({"data_format": keras.config.image_data_format()}, "Part()"),
        ({"rate": float(np.float32(1e-3))}, "Part(rate=0.001)"),
        ({"rate": np.float64(1e-3)}, "Part(rate=0.001)"),
        ({"name": "mine"}, "Part(name='mine')"),
        ({"pair": (1,)}, "Part(pair=(1,))"),
        ({"pair": list(range(9))}, "Part(pair=[0, 1, 2, 3, 4, 5, ... 3 more])"),
        ({"of": np.zeros((2, 3))}, "Part(of=<float64 array of shape (2, 3)>)"),
        ({"of": {"a": len}}, "Part(of={'a': len})"),
        ({"of": "x" * 80}, f"Part(of='{'x' * 57}...')"),
        ({"of": object()}, "Part(of=object(...))"),
        ({"of": Part(rate=1)}, "Part(of=Part(rate=1))"),
        (
            {"of": keras.layers.Dense(3, kernel_regularizer="l2", name="a")},
            "Part(of=Dense(units=3, kernel_regularizer=L2()))",
        ),
        (
            {"of": keras.Sequential(name="body")},
            "Part(of=<Sequential 'body'>)",
        ),
    ],
)
def test_shows_what_differs_from_the_default(arguments, shown):
    assert repr(Part(**arguments)) == shown


def test_shows_arguments_of_keras_by_the_default_of_our_own_class():
    assert repr(RAdam()) == "RAdam()"
    assert repr(RAdam(0.01, weight_decay=0.1)) == (
        "RAdam(learning_rate=0.01, weight_decay=0.1)"
    )
    assert repr(AdamW()) == "AdamW()"
    assert repr(AdamW(OneCycle(0.1, total_steps=9), use_ema=True)) == (
        "AdamW(learning_rate=OneCycle(peak=0.1, total_steps=9), use_ema=True)"
    )
    assert repr(Lookahead("sgd", sync_period=7)) == (
        "Lookahead(inner=SGD(), sync_period=7)"
    )
    decay = keras.optimizers.schedules.CosineDecay(0.1, 10)
    assert repr(RAdam(decay)) == (
        "RAdam(learning_rate=CosineDecay(initial_learning_rate=0.1, "
        "decay_steps=10))"
    )


def test_shows_names_and_precisions_that_were_chosen():
    assert repr(DropBlock2D()) == str(DropBlock2D()) == "DropBlock2D()"
    assert repr(DropBlock2D(0.2, name="a", dtype="bfloat16")) == (
        "DropBlock2D(rate=0.2, dtype='bfloat16', name='a')"
    )


def test_an_object_that_is_not_made_yet_shows_what_it_has():
    radam = RAdam.__new__(RAdam)
    assert repr(radam) == "RAdam()"
