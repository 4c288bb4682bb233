import itertools

import pytest

from keras_regopt._train_step.features import ORDER
from keras_regopt._train_step.overrides import override, replaced, take_back

pytestmark = pytest.mark.any_backend

KINDS = ORDER[:3]


class Owner:
    def say(self, word):
        return [word]


def saying(kind):
    def wrap(say):
        return lambda word: [kind, *say(word)]

    return wrap


@pytest.mark.parametrize("order", [*itertools.permutations(KINDS)])
def test_kinds_go_around_each_other_in_order_and_are_taken_back_in_any(order):
    owner, present = Owner(), list(KINDS)
    for kind in order:
        override(owner, "say", kind, saying(kind))
    held = owner.say
    assert owner.say("x") == [*KINDS, "x"]
    for kind in order[::-1][1:] + order[-1:]:
        take_back(owner, "say", kind)
        present.remove(kind)
        # Also through what somebody holds on to.
        assert owner.say("x") == held("x") == [*present, "x"]
    assert not vars(owner)


def test_one_of_a_kind_takes_the_place_of_the_other():
    owner = Owner()
    override(owner, "say", KINDS[0], saying("first"))
    override(owner, "say", KINDS[0], saying("second"))
    assert owner.say("x") == ["second", "x"]
    take_back(owner, "say", KINDS[0])
    assert owner.say("x") == ["x"]
    take_back(owner, "say", KINDS[0])


def test_a_method_of_the_object_itself_comes_back():
    owner = Owner()
    owner.say = own = lambda word: ["own", word]
    override(owner, "say", KINDS[0], saying("around"))
    assert owner.say("x") == ["around", "own", "x"]
    take_back(owner, "say", KINDS[0])
    assert owner.say is own


def test_an_error_ends_a_replacement():
    owner = Owner()
    with pytest.raises(KeyError), replaced(owner, "say", {}.__getitem__):
        owner.say("x")
    assert owner.say("x") == ["x"]
    assert not vars(owner)
