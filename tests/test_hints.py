import copy
import inspect
import pickle

import keras
import keras_tuner
import pytest

from keras_regopt._config import SignatureConfig
from keras_regopt.augmentation import (
    RandomAffine,
    RandomCrop,
    RandomGaussianBlur,
)
from keras_regopt.callbacks import EarlyStopping
from keras_regopt.layers import DropBlock2D
from keras_regopt.optimizers import AdamW, Lookahead
from keras_regopt.regularizers import GroupLasso
from keras_regopt.schedules import OneCycle
from keras_regopt.tuning import CrossValidationTuner

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    ("make", "meant"),
    [
        (lambda: RandomAffine(rotatoin=0.1), "rotation"),
        (lambda: GroupLasso(rates=0.1), "rate"),
        (lambda: AdamW(weight_decy=0.1), "weight_decay"),
        (lambda: AdamW(learningrate=0.1), "learning_rate"),
        (lambda: AdamW(clip_norm=0.1), "clipnorm"),
        (lambda: Lookahead("sgd", sync_periods=3), "sync_period"),
        (lambda: OneCycle(0.1, total_step=10), "total_steps"),
        (lambda: EarlyStopping(patiance=3), "patience"),
        (lambda: DropBlock2D(block_sise=3), "block_size"),
        (lambda: DropBlock2D(dtyp="float16"), "dtype"),
        (
            lambda: CrossValidationTuner(
                lambda hp: keras.Sequential(),
                keras_tuner.oracles.RandomSearchOracle("loss"),
                fold=3,
                directory="nowhere",
            ),
            "folds",
        ),
    ],
)
def test_asks_whether_another_argument_was_meant(make, meant):
    with pytest.raises((TypeError, ValueError), match="Did you mean") as caught:
        make()
    text = str(caught.value)
    assert text.count("Did you mean") == 1
    assert f"`{meant}`" in text.partition("Did you mean")[2]


def test_other_errors_stay_as_they_are():
    with pytest.raises(TypeError) as caught:
        GroupLasso(pudding=1)
    assert str(caught.value) == (
        "GroupLasso.__init__() got an unexpected keyword argument 'pudding'"
    )
    with pytest.raises(ValueError, match=r"not recognized: {'speed': 2}$"):
        AdamW(speed=2)
    with pytest.raises(ValueError, match=r"Received: rate=-1\.$"):
        GroupLasso(rate=-1)


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (
            lambda: RandomGaussianBlur(0.5),
            "were given. Give by keyword `sigma`, `kernel_size`, `seed`. "
            "Received: 0.5",
        ),
        (lambda: RandomCrop(3, 4, 5, seed=1), "`seed`. Received: 3, 4, 5"),
        (
            lambda: GroupLasso(0.1, 1, 2),
            "positional arguments but 4 were given",
        ),
    ],
)
def test_names_what_is_taken_by_keyword_alone(make, end):
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value).endswith(end)


def test_signatures_copies_and_pickles_are_as_before():
    assert list(inspect.signature(GroupLasso).parameters) == ["rate", "axis"]
    assert inspect.getfullargspec(GroupLasso.__init__).args == [
        "self",
        "rate",
        "axis",
    ]
    penalty = GroupLasso(0.5, axis=(0, 1))
    for again in (copy.deepcopy(penalty), pickle.loads(pickle.dumps(penalty))):
        assert repr(again) == repr(penalty)


def test_the_classes_of_users_ask_as_well():
    class Mine(SignatureConfig):
        def __init__(self, strength=1):
            self.strength = strength

    with pytest.raises(TypeError, match="Did you mean `strength`"):
        Mine(strenght=2)
    assert Mine(strength=2).get_config() == {"strength": 2}


@pytest.mark.parametrize(
    "name", ["weight_decay", "clipnorm", "clipvalue", "global_clipnorm"]
)
def test_negative_decays_and_bounds_are_refused(name):
    for make in (
        lambda **options: keras.optimizers.get(
            {"class_name": "keras_regopt>RAdam", "config": options}
        ),
        AdamW,
    ):
        with pytest.raises(ValueError, match=rf"`{name}` .*>= 0|>= 0.*{name}"):
            make(**{name: -1})
