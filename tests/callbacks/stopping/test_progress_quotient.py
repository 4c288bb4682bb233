import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import drive, stopping_epochs

from keras_regopt.callbacks import EarlyStopping, ProgressQuotient

pytestmark = pytest.mark.any_backend

LOSSES = st.lists(st.integers(1, 30), min_size=13, max_size=13)


@settings(deadline=None, max_examples=50)
@given(
    validation=LOSSES,
    training=LOSSES,
    alpha=st.sampled_from([0.0523, 0.3141, 1.0472]),
    strip=st.integers(2, 5),
)
def test_follows_the_papers_formula(validation, training, alpha, strip):
    expected = []
    for t in range(strip, len(validation) + 1, strip):
        lowest = min(validation[:t])
        lost = 100 * (validation[t - 1] / lowest - 1)
        of_strip = training[t - strip : t]
        progress = 1000 * (sum(of_strip) / (strip * min(of_strip)) - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            if np.float64(lost) / np.float64(progress) > alpha:
                expected.append(t)
    criterion = ProgressQuotient(alpha, strip)
    assert stopping_epochs(criterion, validation, training) == expected


def test_the_last_value_of_a_strip_counts_and_one_without_is_passed_over():
    validation = [1.0, None, 2.0, None, None, None, None, 2.0, None]
    training = [1.0, 0.999, 0.998] * 3
    criterion = ProgressQuotient(0.75, strip=3)
    assert stopping_epochs(criterion, validation, training) == [3, 9]


def test_an_infinite_training_loss_is_no_standstill():
    criterion = ProgressQuotient(0.75, strip=2)
    losses = [1.0, 2.0]
    assert stopping_epochs(criterion, losses, [1.0, math.inf]) == []
    assert stopping_epochs(criterion, losses, [1.0, 1.0]) == [2]


@pytest.mark.filterwarnings("ignore:EarlyStopping does nothing")
def test_reads_the_training_loss_in_epochs_without_validation():
    for loss_between, reason in (
        (0.9, "val_loss meets ProgressQuotient"),
        # This makes P greater than 50.
        (1.0, None),
    ):
        stopper = EarlyStopping(criterion=ProgressQuotient(0.75, strip=2))
        logs = [
            {"loss": 1.0},
            {"loss": 0.9, "val_loss": 1.0},
            {"loss": loss_between},
            {"loss": 0.9, "val_loss": 1.01},
        ]
        drive(stopper, logs)
        assert stopper.stop_reason == reason


def test_needs_a_monitor_of_the_validation():
    with pytest.raises(ValueError, match=r"`criterion`.*'val_'.*'loss'"):
        EarlyStopping("loss", criterion=ProgressQuotient())


def test_needs_the_training_metric_in_the_logs():
    stopper = EarlyStopping("val_loss", criterion=ProgressQuotient())
    with pytest.raises(ValueError, match=r"lack 'loss'.*hold: val_loss"):
        drive(stopper, [{"val_loss": 1.0}])
