import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import stopping_epochs

from keras_regopt.callbacks import SuccessiveIncreases

pytestmark = pytest.mark.any_backend


@settings(deadline=None, max_examples=50)
@given(
    losses=st.lists(st.integers(1, 9), min_size=1, max_size=16),
    times=st.integers(1, 3),
    strip=st.integers(1, 4),
)
def test_follows_the_papers_definition(losses, times, strip):
    def stops_after(t, s):
        """`UP_s` stops after `t` if `UP_(s-1)` did a strip ago, and it rose."""
        before = t - strip
        if t % strip or before < 1:
            return False
        rose = losses[t - 1] > losses[before - 1]
        return rose and (s == 1 or stops_after(before, s - 1))

    expected = [t for t in range(1, len(losses) + 1) if stops_after(t, times)]
    criterion = SuccessiveIncreases(times, strip)
    assert stopping_epochs(criterion, losses) == expected


def test_the_last_value_of_a_strip_counts_and_one_without_is_passed_over():
    losses = [9.0, 1.0, 2.0, None, None, None, None, 3.0]
    criterion = SuccessiveIncreases(times=2, strip=2)
    assert stopping_epochs(criterion, losses) == [8]


def test_infinity_goes_on_rising():
    criterion = SuccessiveIncreases(times=3, strip=1)
    assert stopping_epochs(criterion, [1.0] + [math.inf] * 3 + [2.0]) == [4]
