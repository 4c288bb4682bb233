import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import stopping_epochs

from keras_regopt.callbacks import ProgressThreshold

pytestmark = pytest.mark.any_backend


@settings(deadline=None, max_examples=50)
@given(
    losses=st.lists(st.integers(995, 1005), min_size=13, max_size=13),
    threshold=st.sampled_from([0.4321, 1.9876, 3.8765]),
    strip=st.integers(2, 5),
)
def test_follows_the_papers_formula(losses, threshold, strip):
    expected = []
    for t in range(strip, len(losses) + 1, strip):
        of_strip = losses[t - strip : t]
        if 1000 * (sum(of_strip) / strip / min(of_strip) - 1) < threshold:
            expected.append(t)
    criterion = ProgressThreshold(threshold, strip)
    assert stopping_epochs(criterion, losses) == expected


def test_training_that_diverges_or_reaches_zero_is_no_standstill():
    criterion = ProgressThreshold(strip=2)
    losses = [1.0, math.inf, math.inf, math.inf, 1.0, 0.0, 0.0, 0.0]
    assert stopping_epochs(criterion, losses) == [8]


def test_losses_below_zero_progress_too():
    criterion = ProgressThreshold(threshold=100.0, strip=2)
    # 1000 * 0.5 / 2 and 1000 * 0.1 / 2.
    assert stopping_epochs(criterion, [-1.0, -2.0, -1.8, -2.0]) == [4]
