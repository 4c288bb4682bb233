import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_regopt import _validate

pytestmark = pytest.mark.any_backend


def test_says_what_is_wrong_what_is_allowed_and_what_came():
    class GroupLasso:
        pass

    message = "`rate` of GroupLasso must be a number >= 0. Received: rate=-1."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _validate.in_range(GroupLasso(), "rate", -1, low=0)


def test_says_the_remedy_last():
    with pytest.raises(ValueError, match=r"Received: rate=2\. Lower it\.$"):
        _validate.in_range("Thing", "rate", 2, high=1, remedy="Lower it.")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_takes_exactly_the_numbers_of_a_range(value):
    inside = 0 <= value < 1
    try:
        assert _validate.in_range("T", "x", value, low=0, below=1) == value
        assert inside
    except ValueError:
        assert not inside


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "1", None, True, [1], 1j]
)
def test_refuses_what_is_no_finite_number(value):
    with pytest.raises(ValueError, match="`x` of T must be a number"):
        _validate.in_range("T", "x", value)


@pytest.mark.parametrize("value", [1.0, True, "1", None, np.float64(2)])
def test_refuses_what_is_no_whole_number(value):
    with pytest.raises(ValueError, match="`x` of T must be an integer >= 1"):
        _validate.positive_int("T", "x", value)


def test_returns_python_numbers():
    assert type(_validate.in_range("T", "x", np.float32(0.5))) is float
    assert type(_validate.integer("T", "x", np.int32(3))) is int
    assert type(_validate.boolean("T", "x", np.bool_(True))) is bool


def test_takes_none_only_where_it_may():
    assert _validate.in_range("T", "x", None, optional=True) is None
    assert _validate.integer("T", "x", None, optional=True) is None
    with pytest.raises(ValueError, match="must be a number >= 0, or None"):
        _validate.in_range("T", "x", -1, low=0, optional=True)


def test_one_of_tells_true_from_one():
    assert _validate.one_of("T", "x", "a", ("a", None)) == "a"
    with pytest.raises(ValueError, match="must be one of True, False"):
        _validate.boolean("T", "x", 1)


def test_instance_of_names_the_type_in_words():
    assert _validate.instance_of("T", "x", 3, int, "an int") == 3
    with pytest.raises(ValueError, match="`x` of T must be an int"):
        _validate.instance_of("T", "x", "3", int, "an int")


@pytest.mark.parametrize("value", [0, 0.5, 1, (-1, 1), [0.25, 0.5], (0, 0)])
def test_a_factor_is_a_number_or_a_pair(value):
    expected = tuple(value) if isinstance(value, (list, tuple)) else value
    assert _validate.factor("T", "x", value, -1, 1) == expected


@pytest.mark.parametrize(
    "value",
    [-0.5, 1.5, (0.5, 0.25), (0, 2), (1,), (), (0, 0, 0), "a", True, None],
)
def test_refuses_a_bad_factor(value):
    with pytest.raises(ValueError, match="`x` of T must be a number from 0"):
        _validate.factor("T", "x", value, -1, 1)
