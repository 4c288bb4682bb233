import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import FitMonitor, diagnose

pytestmark = pytest.mark.any_backend

ELSEWHERE = {
    "accuracy": [0.8, 0.95, 0.99, 1.0, 1.0],
    "val_accuracy": [0.55, 0.58, 0.6, 0.6, 0.6],
}


@pytest.mark.parametrize(
    ("train_dev", "verdict"),
    [
        (0.01, "data mismatch"),
        (0.2, "high variance and data mismatch"),
        (0.4, "high variance"),
        (None, "high variance"),
    ],
)
def test_train_dev_tells_mismatch_from_variance(train_dev, verdict):
    result = diagnose(ELSEWHERE, train_dev=train_dev)
    assert result.verdict == verdict
    if train_dev is not None:
        assert result.mismatch == pytest.approx(0.4 - train_dev)
        assert result.variance == pytest.approx(train_dev)
        assert "train-dev" in result.text()


@pytest.mark.parametrize("name", ["recall", "precision_1", "f1_score"])
def test_an_accuracy_that_hides_a_missed_class_does_not_fit(name):
    history = {
        "accuracy": [0.95, 0.99, 0.99],
        "val_accuracy": [0.97, 0.99, 0.99],
        f"val_{name}": [0.1, 0.0, 0.0],
    }
    result = diagnose(history)
    assert (result.verdict, result.cause) == ("undecided", "one class")
    assert "class_weight" in result.steps[0].action
    history[f"val_{name}"] = [0.1, 0.5, 0.9]
    assert diagnose(history).verdict == "fits"


@pytest.mark.parametrize("name", ["mcc", "cohen_kappa", "ndcg"])
def test_a_score_of_the_field_is_known(name):
    history = {name: [0.1, 0.9, 1.0], f"val_{name}": [0.1, 0.5, 0.5]}
    assert diagnose(history, monitor=name).verdict == "high variance"


def test_a_metric_of_unknown_direction_asks_for_mode():
    history = {"gain": [0.1, 0.9, 1.0], "val_gain": [0.1, 0.5, 0.5]}
    with pytest.raises(ValueError, match="`mode`"):
        diagnose(history, monitor="gain")
    result = diagnose(history, monitor="gain", mode="max")
    assert result.verdict == "high variance"


def test_a_metric_one_letter_off_is_answered_with_the_near_one():
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        diagnose(ELSEWHERE, monitor="acuracy")


def test_weight_decay_is_advised_for_optimizers_that_take_it():
    steps = [s for s in diagnose(ELSEWHERE).steps if "decay" in s.action]
    assert "keras_regopt.optimizers.Lookahead" not in steps[0].uses


@pytest.mark.parametrize("name", ["MSE", "Accuracy", "false_negatives"])
def test_a_known_name_in_capitals_needs_no_mode(name):
    history = {name: [0.5, 0.4, 0.3], f"val_{name}": [0.5, 0.4, 0.3]}
    assert diagnose(history, monitor=name).verdict != "undecided"


def gain(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


def watch(metric, **options):
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric])
    monitor = FitMonitor("gain", verbose=0, **options)
    data = {"validation_data": (x, y), "callbacks": [monitor], "verbose": 0}
    model.fit(x, y, epochs=4, **data)
    return monitor.diagnosis


def test_a_fit_with_a_metric_of_unknown_direction_ends_undecided(tmp_path):
    result = watch(gain, report=str(tmp_path / "report.html"))
    assert (result.verdict, result.cause) == ("undecided", "no mode")
    assert "does not tell whether higher is better" in result.text()
    assert (tmp_path / "report.html").exists()


def test_a_fit_takes_the_direction_from_the_mode_or_from_keras():
    assert watch(gain, mode="max").curves.is_score
    known = watch(keras.metrics.CosineSimilarity(name="gain"))
    assert known.curves.is_score
    assert known.cause != "no mode"


def test_a_notebook_shows_the_text_of_a_diagnosis():
    shown = diagnose(ELSEWHERE)._repr_html_()
    assert shown.startswith("<pre>")
    assert "high variance" in shown


def test_a_loss_that_is_no_number_is_no_high_bias():
    nan = [float("nan")] * 4
    chance = {"accuracy": [0.1] * 4, "val_accuracy": [0.1] * 4}
    result = diagnose({"loss": nan, "val_loss": nan} | chance)
    assert (result.verdict, result.cause) == ("undecided", "diverged")
    assert "Verdict: undecided: the training diverged" in result.text()
    assert "from epoch 1 on" in result.text()
    assert result.steps[0].action.startswith("Lower the learning rate")
    # The weights of an epoch before that may still be judged.
    loss = {"loss": [2.0, 1.0, *nan[:2]], "val_loss": [2.0, 1.0, *nan[:2]]}
    assert diagnose(loss | chance, at="best").verdict == "high bias"


@pytest.mark.parametrize(("level", "told"), [(14.5, True), (2.4, False)])
def test_a_net_thrown_far_off_is_told_by_its_rate(level, told):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(10, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    history = {
        "loss": [level] * 4,
        "val_loss": [level] * 4,
        "accuracy": [0.1, 0.09, 0.1, 0.1],
        "val_accuracy": [0.1] * 4,
    }
    result = diagnose(history, model=model)
    assert result.verdict == "high bias"
    words = "Verdict: high bias: the learning rate seems too high"
    assert (words in result.text()) is told
    first = result.steps[0].action
    assert first.startswith("Lower the learning rate") is told
    assert told or "check(model, x, y)" in first
