import pytest
from scripted import drive, stopping_epochs

from keras_regopt.callbacks import EarlyStopping, GapThreshold

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (GapThreshold(1.0), [3, 4]),
        (GapThreshold(0.25, relative=True), [2, 3, 4]),
        (GapThreshold(0.0), [2, 3, 4, 5]),
    ],
)
def test_compares_the_gap_with_its_threshold(criterion, expected):
    validation = [1.0, 2.0, 6.0, 0.0, 4.5, None]
    training = [2.0, 1.0, 4.0, -2.0, 4.0, 0.0]
    assert stopping_epochs(criterion, validation, training) == expected


def test_the_gap_of_an_accuracy_is_what_validation_lacks():
    accuracies = [(0.5, 0.6), (0.8, 0.75), (0.9, 0.7)]
    stopper = EarlyStopping("val_acc", criterion=GapThreshold(0.1))
    drive(stopper, [{"acc": a, "val_acc": v} for a, v in accuracies])
    assert stopper.stopped_epoch == 2


def test_smoothing_smooths_both_figures():
    # The averages are 1 and 1, then 5/3 and 1, then 9/7 and 5/7.
    losses = [(1.0, 1.0), (2.0, 1.0), (1.0, 0.5)]
    logs = [{"val_loss": v, "loss": t} for v, t in losses]
    for threshold, epoch in ((0.6, 1), (0.7, 0)):
        stopper = EarlyStopping(
            criterion=GapThreshold(threshold), smoothing=0.5
        )
        drive(stopper, logs)
        assert stopper.stopped_epoch == epoch
