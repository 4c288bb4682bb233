import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import drive, in_parts

from keras_regopt.callbacks import (
    EarlyStopping,
    GapThreshold,
    GeneralizationLoss,
    ProgressQuotient,
    SuccessiveIncreases,
)

pytestmark = pytest.mark.any_backend

NAN = float("nan")


def stop_of(values, **arguments):
    """The epoch of the stop and its reason."""
    stopper = EarlyStopping("loss", **arguments)
    model = drive(stopper, values)
    assert model.stop_training == (stopper.stop_reason is not None)
    return stopper.stopped_epoch, stopper.stop_reason


@pytest.mark.parametrize("value", [NAN, math.inf, -math.inf])
def test_check_finite_stops_at_once_and_restores_what_was_good(value):
    stopper = EarlyStopping(
        "loss", patience=9, check_finite=True, restore_best_weights=True
    )
    model = drive(stopper, [2.0, 1.0, value, 0.5])
    assert stopper.stop_reason == f"loss is {value}"
    assert (stopper.stopped_epoch, stopper.best) == (2, 1.0)
    assert model.weights[0] == 1


def test_check_finite_may_stop_in_the_first_epoch(capsys):
    assert stop_of([NAN, 1.0], check_finite=True, verbose=1) == (
        0,
        "loss is nan",
    )
    assert "Epoch 1: loss is nan." in capsys.readouterr().out


def test_a_second_level_of_messages_tells_the_reason(capsys):
    stop_of([1.0, 1.0], patience=1, verbose=2)
    printed = capsys.readouterr().out
    assert "Epoch 2: loss has not improved for 1 epoch." in printed
    assert "Epoch 2: early stopping" in printed


@pytest.mark.parametrize(("mode", "sign"), [("min", 1), ("max", -1)])
def test_thresholds_are_to_be_passed_not_met(mode, sign):
    def stop(values):
        epoch, _ = stop_of(
            [sign * value for value in values],
            mode=mode,
            patience=9,
            stopping_threshold=sign * 1.0,
            divergence_threshold=sign * 5.0,
        )
        return epoch

    assert stop([2.0, 1.0, 0.9]) == 2
    assert stop([2.0, 5.0, 5.1]) == 2
    assert stop([2.0, NAN]) == 1


def test_the_value_that_passes_a_stopping_threshold_is_the_best_one():
    stopper = EarlyStopping(
        "loss", stopping_threshold=1.0, restore_best_weights=True
    )
    model = drive(stopper, [2.0, 0.5])
    assert (model.weights[0], stopper.best_epoch) == (1, 1)
    assert "has reached 0.5" in stopper.stop_reason


@pytest.mark.parametrize(
    "rule",
    [
        {"criterion": GeneralizationLoss(90.0)},
        {"stopping_threshold": 0.1},
        {"stopping_threshold": 0},
        {"divergence_threshold": 9.0},
        {"check_finite": True},
    ],
)
def test_patience_of_zero_plays_no_part_beside_another_rule(rule):
    losses = [1.0] * 4 + [1.5]
    assert stop_of(losses, **rule) == (0, None)
    assert stop_of(losses, patience=2, **rule)[0] == 2
    assert stop_of(losses)[0] == 1


def test_any_of_several_criteria_stops():
    criteria = [SuccessiveIncreases(2, strip=1), GeneralizationLoss(50.0)]
    losses = [1.0, 1.1, 1.05, 1.6]
    assert stop_of(losses, criterion=criteria) == (
        3,
        "loss meets GeneralizationLoss",
    )
    losses = [1.0, 1.1, 1.2, 1.6]
    assert stop_of(losses, criterion=criteria) == (
        2,
        "loss meets SuccessiveIncreases",
    )


def test_one_criterion_serves_several_callbacks():
    criterion = GeneralizationLoss(50.0)
    low, high = (
        EarlyStopping(name, mode="min", criterion=criterion)
        for name in ("a", "b")
    )
    drive(low, [1.0], monitor="a")
    drive(high, [9.0, 10.0], monitor="b")
    assert high.stop_reason is None


def test_criteria_ignore_the_epochs_before_the_first_one_to_look_at():
    losses = [0.1, 1.0, 1.2, 1.6]
    assert (
        stop_of(losses, criterion=GeneralizationLoss(50.0), start_from_epoch=1)[
            0
        ]
        == 3
    )


@pytest.mark.parametrize(("mode", "sign"), [("min", -1), ("max", 1)])
@pytest.mark.parametrize("offset", [10.0, -10.0])
def test_a_relative_min_delta_is_a_share_of_the_best_value(mode, sign, offset):
    # A tenth of ten is just not enough, a bit more is.
    for steps, best_epoch in (([0.0, 1.0, 0.5], 0), ([0.0, 1.0, 1.01], 2)):
        stopper = EarlyStopping(
            "x", 0.1, patience=9, mode=mode, min_delta_mode="relative"
        )
        drive(stopper, [offset + sign * s for s in steps], monitor="x")
        assert stopper.best_epoch == best_epoch


def test_a_relative_min_delta_takes_zero_and_infinity():
    stopper = EarlyStopping("loss", 0.1, 9, min_delta_mode="relative")
    drive(stopper, [math.inf, 0.0, -0.5])
    assert stopper.best == -0.5


def test_smoothing_is_the_moving_average_that_tensorboard_shows():
    losses = [3.0, 1.0, 2.0, NAN, 0.5, 1.5]
    smoothed = []
    for end in range(len(losses)):
        past = [loss for loss in losses[: end + 1] if loss == loss]
        weights = 0.6 ** np.arange(len(past))[::-1]
        average = float(np.average(past, weights=weights))
        smoothed.append(losses[end] if losses[end] != losses[end] else average)
    for epochs in range(1, len(losses) + 1):
        ours, plain = (
            EarlyStopping("loss", patience=99, smoothing=smoothing)
            for smoothing in (0.6, 0.0)
        )
        drive(ours, losses[:epochs])
        drive(plain, smoothed[:epochs])
        np.testing.assert_allclose(ours.best, plain.best, rtol=1e-12)
        assert (ours.best_epoch, ours.wait) == (plain.best_epoch, plain.wait)


def everything(monitor, **changes):
    return EarlyStopping(
        monitor,
        **{
            "min_delta": 0.05,
            "patience": 3,
            "restore_best_weights": True,
            "start_from_epoch": 1,
            "combine": "all",
            "smoothing": 0.3,
            "min_delta_mode": "relative",
            "check_finite": True,
            "divergence_threshold": dict.fromkeys(monitor, 7.5),
            "criterion": [
                ProgressQuotient(0.5, strip=2),
                SuccessiveIncreases(2, strip=2),
                GapThreshold(4.0),
            ],
        }
        | changes,
    )


@settings(deadline=None, max_examples=50)
@given(
    losses=st.lists(
        st.lists(st.integers(1, 8), min_size=4, max_size=4),
        min_size=1,
        max_size=12,
    ),
    lengths=st.lists(st.integers(1, 4), min_size=12, max_size=12),
    combine=st.sampled_from(["any", "all"]),
)
def test_parts_with_carried_state_stop_as_one_training(
    losses, lengths, combine
):
    names = ["loss", "val_loss", "a_loss", "val_a_loss"]
    logs = [dict(zip(names, each, strict=True)) for each in losses]

    def make():
        return everything(["val_loss", "val_a_loss"], combine=combine)

    whole = make()
    model = drive(whole, logs)
    part, part_model = in_parts(make, logs, lengths)
    assert repr(part.state()) == repr(whole.state())
    assert part_model.stop_training == model.stop_training
    assert part_model.weights == model.weights


def test_the_configuration_survives_json_with_its_criteria():
    stopper = everything(["val_loss", "val_a_loss"])
    config = json.loads(json.dumps(stopper.get_config()))
    again = EarlyStopping.from_config(config)
    assert again.get_config() == stopper.get_config()
    assert type(again.criterion[0]) is ProgressQuotient


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("combine", {"combine": "most"}),
        ("smoothing", {"smoothing": 1.0}),
        ("min_delta_mode", {"min_delta_mode": "rel"}),
        ("min_delta", {"min_delta": 5, "min_delta_mode": "relative"}),
        ("patience_unit", {"patience_unit": "hours"}),
        ("patience", {"patience": 2.5, "patience_unit": "steps"}),
        ("patience", {"patience": -1.0, "patience_unit": "seconds"}),
        ("check_finite", {"check_finite": 1}),
        ("stopping_threshold", {"stopping_threshold": NAN}),
        ("divergence_threshold", {"divergence_threshold": "high"}),
        ("criterion", {"criterion": GeneralizationLoss}),
        ("criterion", {"criterion": ["GL"]}),
        (
            "stopping_threshold",
            {
                "stopping_threshold": 2.0,
                "divergence_threshold": 1.0,
                "mode": "min",
            },
        ),
    ],
)
def test_a_bad_argument_is_refused(argument, arguments):
    with pytest.raises(
        ValueError, match=f"`{argument}` of EarlyStopping must be"
    ):
        EarlyStopping(**arguments)


def test_contradictory_thresholds_are_refused_once_the_direction_is_known():
    stopper = EarlyStopping(
        "acc", stopping_threshold=0.5, divergence_threshold=0.9
    )
    with pytest.raises(ValueError, match="must be above the divergence_thresh"):
        drive(stopper, [0.7], monitor="acc")
