"""Hyperparameters as points of a cube and as features."""

import itertools

import keras_tuner
import numpy as np
import pytest

from keras_regopt.tuning._encoding import Encoding

pytestmark = pytest.mark.any_backend


def space_of_all_kinds():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b", "c"])
    hp.Boolean("flag")
    hp.Choice("size", [16, 32, 64])
    hp.Fixed("fixed", 3)
    hp.Float("linear", -1.0, 3.0)
    hp.Float("log", 1e-4, 1e-1, sampling="log")
    hp.Float("reverse", 0.5, 0.99, sampling="reverse_log")
    hp.Float("stepped", 0.1, 0.9, step=0.2)
    hp.Int("whole", 1, 5)
    hp.Int("whole_log", 8, 512, sampling="log")
    hp.Int("whole_stepped", 2, 32, step=2, sampling="log")
    hp.Int("one", 4, 4)
    with hp.conditional_scope("kind", ["a", "b"]):
        hp.Float("of_a_or_b", 0.0, 1.0)
        hp.Int("depth", 1, 2)
        with hp.conditional_scope("depth", [2]):
            hp.Choice("inner", ["x", "y"])
    return hp.space


def same(value, other):
    """Equal, or floats that differ by how they were computed."""
    if isinstance(value, float):
        return value == pytest.approx(other, rel=1e-12)
    return value == other


def test_a_point_and_its_values_belong_together():
    encoding = Encoding(space_of_all_kinds())
    points = np.random.default_rng(0).random((300, len(encoding.axes)))
    for point, row in zip(points, encoding.features(points), strict=True):
        values = encoding.values(point)
        again = encoding.point(values)
        assert list(encoding.values(again)) == list(values)
        for name, value in encoding.values(again).items():
            assert same(value, values[name])
        np.testing.assert_allclose(
            encoding.features(again[None])[0], row, rtol=0, atol=1e-9
        )


def test_values_are_those_that_keras_tuner_would_give():
    encoding = Encoding(space_of_all_kinds())
    for point in np.random.default_rng(1).random((100, len(encoding.axes))):
        values = encoding.values(point)
        for axis, position in zip(encoding.axes, point, strict=True):
            hp = axis.hp
            if hp.name in values:
                value = values[hp.name]
                assert same(value, hp.prob_to_value(position))
                assert type(value) is type(hp.default)


def test_only_what_is_active_has_a_value():
    encoding = Encoding(space_of_all_kinds())
    seen = set()
    for point in np.random.default_rng(2).random((60, len(encoding.axes))):
        values = encoding.values(point)
        inner = values["kind"] != "c" and values["depth"] == 2
        assert ("of_a_or_b" in values) == (values["kind"] != "c")
        assert ("depth" in values) == (values["kind"] != "c")
        assert ("inner" in values) == inner
        seen.add((values["kind"], inner))
    assert len(seen) == 5


def test_classes_lie_1_apart_and_numbers_on_their_scale():
    encoding = Encoding(space_of_all_kinds())
    names = [axis.hp.name for axis in encoding.axes]

    def feature(name, **values):
        row = encoding.features(encoding.point(values)[None])[0]
        return row[encoding.coordinates == names.index(name)]

    for one, other in itertools.combinations("abc", 2):
        apart = feature("kind", kind=one) - feature("kind", kind=other)
        assert apart @ apart == pytest.approx(1.0)
    assert feature("size", size=16) == 0.0
    assert feature("size", size=32) == 0.5
    assert feature("log", log=1e-2) == pytest.approx(2 / 3)
    assert feature("stepped", stepped=0.3) == pytest.approx(0.25)
    # What is fixed tells nothing.
    assert feature("fixed", fixed=3).size == feature("one", one=4).size == 0
    # What is inactive lies in the middle, and has no class.
    assert feature("of_a_or_b", kind="c") == 0.5
    assert feature("inner", kind="c").tolist() == [0.0, 0.0]


def test_the_same_name_under_two_conditions_is_one_value():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b"])
    for kind, low in (("a", 0.0), ("b", 10.0)):
        with hp.conditional_scope("kind", [kind]):
            hp.Float("rate", low, low + 1)
    encoding = Encoding(hp.space)
    for kind, low in (("a", 0.0), ("b", 10.0)):
        point = encoding.point({"kind": kind, "rate": low + 0.25})
        values = encoding.values(point)
        assert values == {"kind": kind, "rate": pytest.approx(low + 0.25)}


def test_a_space_without_hyperparameters_has_one_point():
    encoding = Encoding([])
    assert encoding.values([]) == {}
    assert encoding.features(np.empty((4, 0))).shape == (4, 0)
