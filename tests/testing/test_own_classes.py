"""The checks that users call, on classes that users write."""

import importlib

import keras
import own_classes
import pytest

from keras_regopt import testing
from keras_regopt.testing._contract import NotApplicable, Subject, keep
from keras_regopt.testing._kinds import promises_of

pytestmark = pytest.mark.any_backend

KINDS = {
    "augmentation": own_classes.RandomShade,
    "callback": own_classes.LossKeeper,
    "constraint": own_classes.Capped,
    "criterion": own_classes.WorseThanBefore,
    "layer": own_classes.AdditiveNoise,
    "metric": own_classes.MeanMiss,
    "optimizer": own_classes.Momentum,
    "regularizer": own_classes.SquaredWeights,
    "schedule": own_classes.InverseDecay,
    "transformation": own_classes.Damping,
}
MODULES = {kind: f"{kind}s" for kind in KINDS} | {"criterion": "criteria"}


@pytest.mark.parametrize(("kind", "cls"), KINDS.items())
def test_a_class_that_keeps_every_promise_passes(kind, cls):
    getattr(testing, f"check_{kind}")(cls)


@own_classes.register
class BrokenInManyWays(own_classes.SquaredWeights):
    """Rewards, takes any argument, forgets it and has no word on it."""

    def __init__(self, rate=0.01):
        self.rate = rate

    def __call__(self, x):
        return -super().__call__(x)

    def get_config(self):
        return {}


def test_one_error_tells_all_broken_promises_of_a_class():
    with pytest.raises(AssertionError) as caught:
        testing.check_regularizer(BrokenInManyWays)
    lines = str(caught.value).splitlines()
    told = [line.partition("`")[2].partition("`")[0] for line in lines]
    assert told == [
        "survives_its_config",
        "documents_every_argument",
        "refuses_bad_arguments",
        "gives_a_single_precision_scalar",
    ]


@pytest.mark.parametrize(("kind", "cls"), KINDS.items())
def test_each_check_goes_through_the_promises_of_its_kind(
    kind, cls, monkeypatch
):
    def is_kept(subject):
        assert subject.arguments == {"argument": 1}

    def is_broken(subject):
        raise AssertionError("wrong result")

    def has_no_meaning_here(subject):
        raise NotApplicable("wrong backend")

    def fails(subject):
        raise TypeError("wrong type")

    module = importlib.import_module(f"keras_regopt.testing.{MODULES[kind]}")
    assert module.PROMISES is promises_of(cls)
    monkeypatch.setattr(
        module, "PROMISES", [is_kept, is_broken, has_no_meaning_here, fails]
    )
    with pytest.raises(AssertionError) as caught:
        getattr(testing, f"check_{kind}")(cls, argument=1)
    assert str(caught.value).splitlines() == [
        f"{cls.__name__} breaks the promise `is_broken`: "
        "AssertionError: wrong result",
        f"{cls.__name__} breaks the promise `fails`: TypeError: wrong type",
    ]


def test_each_object_gets_nested_objects_of_its_own():
    inner = keras.optimizers.SGD()
    subject = Subject(dict, {"inner": inner})
    made = [subject.make(), subject.make(more=2)]
    assert made[1].pop("more") == 2
    assert len({id(m["inner"]) for m in made} | {id(inner)}) == 3


def test_what_has_no_meaning_is_told_apart_from_what_is_broken():
    def promise(subject):
        raise NotApplicable("wrong backend")

    with pytest.raises(NotApplicable, match="wrong backend"):
        keep(Subject(own_classes.Momentum), promise)


def test_a_class_of_no_kind_has_no_promises():
    with pytest.raises(TypeError, match="dict is of no kind"):
        promises_of(dict)
