import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import drive, stopping_epochs

from keras_regopt.callbacks import EarlyStopping, GeneralizationLoss

pytestmark = pytest.mark.any_backend


@settings(deadline=None, max_examples=50)
@given(
    losses=st.lists(st.integers(1, 30), min_size=1, max_size=15),
    alpha=st.sampled_from([0.5, 20.01, 49.9, 100.1]),
)
def test_follows_the_papers_formula(losses, alpha):
    expected = []
    for t in range(len(losses)):
        lowest = min(losses[: t + 1])
        if 100 * (losses[t] / lowest - 1) > alpha:
            expected.append(t + 1)
    assert stopping_epochs(GeneralizationLoss(alpha), losses) == expected


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        # A tenth above a minimum below zero, then two tenths.
        ([-1.0, -10.0, -9.0, -8.0], [4]),
        ([0.0, 0.0, 1e-9], [3]),
        ([2.0, None, 1.0, None, 1.2], [5]),
        ([1.0, math.inf], [2]),
        # Nothing is lost where nothing was won.
        ([math.inf, math.inf, 1.0], []),
    ],
)
def test_has_an_answer_where_the_formula_has_none(losses, expected):
    assert stopping_epochs(GeneralizationLoss(15.0), losses) == expected


def test_reads_an_accuracy_as_what_is_lost_of_the_best_one():
    accuracies = [0.5, 0.8, 0.75, 0.7]
    stopper = EarlyStopping("acc", criterion=GeneralizationLoss(10.0))
    drive(stopper, accuracies, monitor="acc")
    # 6.25 per cent below 0.8, then 12.5.
    assert stopper.stopped_epoch == 3
    assert stopper.stop_reason == "acc meets GeneralizationLoss"
