import json

import numpy as np
import pytest

from keras_regopt.diagnosis import diagnose

pytestmark = pytest.mark.any_backend

NAN = float("nan")


def falling(start, end, epochs=30):
    """Falls from start to end, fast at first; flat over the last third."""
    curve = end + (start - end) * np.exp(-np.arange(epochs) / 2.0)
    curve[2 * epochs // 3 :] = end
    return curve


def accuracies(train_error, dev_error, epochs=30):
    return {
        "accuracy": list(1 - falling(0.9, train_error, epochs)),
        "val_accuracy": list(1 - falling(0.9, dev_error, epochs)),
    }


# Ng 2018, chapters 20 to 22, with the verdicts given there.
@pytest.mark.parametrize(
    ("train_error", "dev_error", "reference", "verdict"),
    [
        (0.01, 0.11, None, "high variance"),
        (0.15, 0.16, None, "high bias"),
        (0.15, 0.30, None, "high bias and high variance"),
        (0.005, 0.01, None, "fits"),
        (0.15, 0.16, 0.14, "fits"),
        (0.15, 0.30, 0.14, "high variance"),
    ],
)
def test_verdicts_agree_with_the_textbook(
    train_error, dev_error, reference, verdict
):
    result = diagnose(accuracies(train_error, dev_error), reference=reference)
    assert result.verdict == verdict
    assert result.avoidable_bias == pytest.approx(
        train_error - (reference or 0)
    )
    assert result.variance == pytest.approx(dev_error - train_error)
    assert result.train_error == pytest.approx(train_error)
    assert result.dev_error == pytest.approx(dev_error)


@pytest.mark.parametrize(
    ("train_error", "dev_error", "verdict"),
    [
        (0.05, 0.9, "high variance"),
        (0.8, 0.9, "high bias"),
        (0.5, 1.5, "high bias and high variance"),
        (0.05, 0.1, "fits"),
    ],
)
def test_a_loss_is_judged_against_the_first_epoch(
    train_error, dev_error, verdict
):
    history = {
        "loss": falling(2.0, train_error),
        "val_loss": falling(2.0, dev_error),
    }
    result = diagnose(history)
    # What a loss can reach is not known; how far two are apart is.
    unknown = "bias" in verdict
    expected = verdict.replace("high bias and ", "")
    if expected == "high bias":
        expected = "undecided"
    assert result.verdict == expected
    assert (result.answers["avoidable bias"] == "cannot tell") == unknown
    assert result.bias_limit == pytest.approx(0.2)
    assert any("baseline" in note for note in result.notes) or result.cause
    assert diagnose(history, reference=0.0).verdict == verdict


def test_a_baseline_gives_a_loss_its_scale():
    history = {"loss": falling(2.0, 0.8), "val_loss": falling(2.0, 0.8)}
    assert diagnose(history).cause == "no scale"
    assert diagnose(history, baseline=2.0, reference=0).verdict == "high bias"
    far = diagnose(history, baseline=10.0, reference=0.0)
    assert far.verdict == "fits"
    assert far.bias_limit == pytest.approx(1.0)
    assert diagnose(history, reference=0.75).verdict == "fits"
    assert not far.notes


def test_tolerances_move_the_verdict():
    history = accuracies(0.015, 0.03)
    assert diagnose(history).verdict == "fits"
    assert diagnose(history, bias_tolerance=0.01).verdict == "high bias"
    strict = diagnose(history, variance_tolerance=0.014)
    assert strict.verdict == "high variance"
    loose = diagnose(
        accuracies(0.3, 0.6), bias_tolerance=0.4, variance_tolerance=0.4
    )
    assert loose.verdict == "fits"


def rising(noise=0.0, epochs=60):
    loss = np.exp(-np.arange(epochs) / 6.0)
    dev = 0.1 + 0.9 * np.exp(-np.arange(epochs) / 4.0)
    dev[15:] += np.linspace(0, 0.08, epochs - 15)
    dev += np.random.default_rng(0).normal(0, noise, epochs)
    return {**accuracies(0.0, 0.015, epochs), "loss": loss, "val_loss": dev}


def test_a_rising_dev_loss_tells_overfitting_before_the_accuracy_does():
    result = diagnose(rising())
    assert result.variance == pytest.approx(0.015)
    assert result.overfits
    assert result.verdict == "high variance"
    assert "overfits" in result.reasons[-1]
    assert result.steps[0].uses == ("keras_regopt.callbacks.EarlyStopping",)
    assert diagnose(rising(), rise_tolerance=2.0).verdict == "fits"
    assert diagnose(rising(), at="best").verdict == "fits"


def test_noise_alone_is_no_overfitting():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        history = {
            **accuracies(0.0, 0.01, 60),
            "loss": falling(1.0, 0.05, 60) - np.arange(60) * 1e-5,
            "val_loss": falling(1.0, 0.1, 60) + rng.normal(0, 0.02, 60),
        }
        assert not diagnose(history).overfits


def test_generalization_loss_is_prechelts():
    history = {
        "loss": [1.0, 0.5, 0.4, 0.3, 0.2],
        "val_loss": [1.0, 0.8, 0.5, 0.6, 0.75],
    }
    measures = diagnose(history).measures
    assert measures.best_epoch == 3
    assert measures.best_dev_error == 0.5
    assert measures.dev_rise == pytest.approx(0.25)
    assert measures.generalization_loss == pytest.approx(100 * (0.75 / 0.5 - 1))


def test_slopes_are_those_of_a_straight_line():
    rng = np.random.default_rng(2)
    dev = 1 - 0.01 * np.arange(40) + rng.normal(0, 0.01, 40)
    history = {"loss": list(1 - 0.02 * np.arange(40)), "val_loss": list(dev)}
    measures = diagnose(history).measures
    last = np.arange(30, 40)
    slope, _ = np.polyfit(last, dev[30:], 1)
    assert measures.dev_slope == pytest.approx(slope)
    assert measures.train_slope == pytest.approx(-0.02)
    assert measures.train_falling
    assert measures.dev_falling


def test_the_noise_of_the_curve_is_found_whatever_its_trend():
    noise = np.random.default_rng(3).normal(0, 0.05, 2000)
    for trend in (0.0, 0.001):
        dev = 5 - trend * np.arange(2000) + noise
        measures = diagnose({"loss": dev, "val_loss": dev}).measures
        assert measures.noise == pytest.approx(0.05, rel=0.05)


def test_high_bias_that_still_falls_asks_for_longer_training_first():
    history = {
        "accuracy": np.linspace(0.1, 0.8, 40),
        "val_accuracy": np.linspace(0.1, 0.79, 40),
    }
    result = diagnose(history)
    assert result.verdict == "high bias"
    assert result.steps[0].action.startswith("Train longer")
    assert any("still falling" in reason for reason in result.reasons)
    flat = diagnose(accuracies(0.3, 0.31, 40))
    assert not flat.steps[0].action.startswith("Train longer")


def test_both_ask_to_lower_the_bias_first():
    steps = diagnose(accuracies(0.15, 0.3)).steps
    names = [name.rsplit(".")[-1] for step in steps for name in step.uses]
    assert names.index("OneCycle") < names.index("RandomAffine")
    assert not any("Regularize less" in step.action for step in steps)


@pytest.mark.parametrize(
    ("history", "cause"),
    [
        ({"loss": [1, 0.5, NAN], "val_loss": [1, 0.5, NAN]}, "diverged"),
        ({"loss": [1, 0.5, float("inf")], "val_loss": [1, 1, 1]}, "diverged"),
        ({"loss": [NAN] * 5, "val_loss": [NAN] * 5}, "diverged"),
        ({"loss": [1, 0.5, 0.3, 0.2]}, "no dev"),
        ({"loss": [1, 0.5], "val_loss": [1, 0.5]}, "short"),
        ({"loss": [1, -1, -2], "val_loss": [1, -1, -2]}, "no reference"),
    ],
)
def test_what_cannot_be_judged_is_undecided_and_says_why(history, cause):
    result = diagnose(history)
    assert result.verdict == "undecided"
    assert result.cause == cause
    assert len(result.reasons) == 1
    assert result.steps
    assert "undecided" in str(result)
    json.dumps(result.as_dict(), allow_nan=False)


def test_a_diverged_training_names_the_epoch():
    result = diagnose({"loss": [1, 0.5, NAN, NAN], "val_loss": [1, 1, 1, NAN]})
    assert "from epoch 3 on" in result.reasons[0]


def test_single_epochs_that_are_not_finite_are_left_out():
    result = diagnose(
        {"loss": [1, NAN, 0.1, 0.01, 0.01], "val_loss": [1, 0.2, NAN, 0.1, 0]}
    )
    assert result.verdict == "fits"
    assert any("left out" in note for note in result.notes)


def test_a_negative_loss_is_judged_with_a_reference():
    history = {"loss": falling(1, -2.0), "val_loss": falling(1, -1.9)}
    assert diagnose(history, reference=-2.1).verdict == "fits"
    assert diagnose(history, reference=-4.0).verdict == "high bias"


def test_dev_errors_of_every_second_epoch_are_set_to_their_epochs():
    result = diagnose(
        {"loss": [1, 0.8, 0.6, 0.4, 0.2, 0.1], "val_loss": [0.9, 0.5, 0.6]}
    )
    assert result.best_epoch == 4
    curves = result.as_dict()["curves"]
    assert curves["dev"] == [None, 0.9, None, 0.5, None, 0.6]


@pytest.mark.parametrize(
    ("names", "metric"),
    [
        (["loss", "auc", "binary_accuracy", "accuracy"], "binary_accuracy"),
        (["loss", "sparse_top_k_categorical_accuracy"], "loss"),
        (["loss", "mean_absolute_error", "auc"], "auc"),
        (["loss", "mae"], "mae"),
        (["accuracy_loss", "loss"], "loss"),
        (["loss", "learning_rate"], "loss"),
    ],
)
def test_auto_takes_the_metric_that_is_an_error_rate_first(names, metric):
    history = {}
    for name in names:
        history[name] = history[f"val_{name}"] = [0.5] * 4
    assert diagnose(history).metric == metric


def test_auto_prefers_a_metric_with_a_dev_curve():
    history = {"accuracy": [1.0] * 4, "loss": [0.1] * 4, "val_loss": [0.1] * 4}
    assert diagnose(history).metric == "loss"


def test_the_direction_of_a_metric_can_be_said():
    history = {"points": [0.0, 0.9, 1.0, 1.0], "val_points": [0, 0.5, 0.5, 0.5]}
    score = diagnose(history, monitor="val_points", mode="max")
    assert score.verdict == "high variance"
    assert score.as_dict()["error"] == "1 - points"
    error = diagnose(history, monitor="points", mode="min")
    assert error.dev_error == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("history", {"history": None}),
        ("history", {"history": {}}),
        ("history", {"history": {"loss": []}}),
        ("history", {"history": {"loss": 3.0}}),
        ("monitor", {"monitor": "f1"}),
        ("monitor", {"monitor": 3}),
        ("mode", {"mode": "up"}),
        ("at", {"at": "first"}),
        ("reference", {"reference": NAN}),
        ("baseline", {"baseline": 0.1, "reference": 0.2}),
        ("bias_tolerance", {"bias_tolerance": -0.1}),
        ("variance_tolerance", {"variance_tolerance": "small"}),
        ("rise_tolerance", {"rise_tolerance": None}),
    ],
)
def test_bad_arguments_are_refused(name, options):
    options = {"history": accuracies(0.1, 0.2), **options}
    with pytest.raises(ValueError, match=f"`{name}` of diagnose must be"):
        diagnose(**options)


def test_the_history_is_left_alone():
    history = accuracies(0.1, 0.2)
    before = json.dumps(history)
    diagnose(history)
    assert json.dumps(history) == before


def test_takes_a_training_error_that_was_measured_apart():
    # Under augmentation, training looks worse than it is.
    history = accuracies(0.10, 0.03)
    assert diagnose(history).verdict == "high bias"
    told = diagnose(history, train_error=0.02)
    assert told.verdict == "fits"
    assert told.train_error == 0.02
    assert told.variance == pytest.approx(0.01)
    with pytest.raises(ValueError, match="`train_error` of diagnose must be"):
        diagnose(history, train_error="low")
