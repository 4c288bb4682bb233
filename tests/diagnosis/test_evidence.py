import json

import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import FitMonitor, diagnose
from keras_regopt.diagnosis._metric_names import has_direction, is_score
from keras_regopt.optimizers import AdamW

FIVE = {"accuracy": [0.9, 0.97, 0.99, 1, 1], "val_accuracy": [0.7] * 5}
any_backend = pytest.mark.any_backend


def data(rows=60):
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype("float32")


def dropped(optimizer="adam", penalty=None):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(8, "relu", kernel_regularizer=penalty),
            layers.Dropout(0.5),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def test_the_monitor_measures_the_training_error_cleanly():
    x, y = data()
    model = dropped()
    monitor = FitMonitor(train_data=(x, y), every=2, verbose=0, dev_rows=60)
    history = model.fit(
        x, y, validation_data=(x, y), epochs=4, verbose=0, callbacks=[monitor]
    )
    # The same rows: the clean error is that of validation, to rounding.
    for name in ("loss", "accuracy"):
        clean = history.history[f"clean_{name}"]
        assert len(clean) == 2
        own = history.history[f"val_{name}"][-1]
        assert clean[-1] == pytest.approx(own, abs=1e-5)
    result = monitor.diagnosis
    assert result.train_error == pytest.approx(result.dev_error, abs=1e-6)
    assert result.unclean == ""
    json.dumps(monitor.state())
    result = diagnose(history, dev_rows=60)
    assert result.train_error == pytest.approx(result.dev_error, abs=1e-6)


def test_the_errors_of_a_model_are_those_of_evaluate():
    x, y = data()
    model = dropped()
    history = model.fit(x, y, epochs=1, verbose=0)
    result = diagnose(history, train=(x, y), dev=(x[:40], y[:40]))
    for error, rows in ((result.train_error, 60), (result.dev_error, 40)):
        right = model.evaluate(x[:rows], y[:rows], verbose=0)[1]
        if result.metric == "accuracy":
            assert error == pytest.approx(1 - right, abs=1e-6)
    assert result.gaps[1].rows == 40
    json.dumps(result.as_dict(), allow_nan=False)


@any_backend
def test_steps_that_were_taken_stand_apart():
    x, y = data()
    model = dropped(AdamW(0.01, weight_decay=0.1), keras.regularizers.L2(0.01))
    model.fit(x, y, epochs=1, verbose=0)
    stopper = keras.callbacks.EarlyStopping(patience=3)
    plain = diagnose(FIVE)
    result = diagnose(FIVE, model=model, callbacks=[stopper])
    assert not plain.taken
    taken = " ".join(step.action for step in result.taken)
    for word in ("Decay the weights", "Drop units", "Penalize weights"):
        assert word in taken
        assert all(word not in step.action for step in result.steps)
    assert "Taken already" in result.text()
    assert result.steps[0].action.startswith("Get more training data")


@any_backend
def test_five_epochs_tell_the_direction_of_a_metric():
    up, down = [0.1, 0.5, 0.8, 0.9, 0.99], [0.9, 0.5, 0.2, 0.1, 0.05]
    history = {"gain": up, "val_gain": [0.3] * 5, "loss": down}
    result = diagnose(history, monitor="gain")
    assert result.verdict == "high variance"
    assert result.train_error == pytest.approx(0.01)
    history = {"gain": down, "val_gain": down, "loss": down}
    assert diagnose(history, monitor="gain").train_error == 0.05
    history["gain"] = [0.5, 0.4, 0.6, 0.5, 0.4]
    with pytest.raises(ValueError, match="`mode`"):
        diagnose(history, monitor="gain")


SCORES = "mcc kappa map mAP@50 ndcg@10 bleu rouge_l psnr ssim hit_rate pearson "
SCORES += "spearman_correlation balanced_accuracy top_k_categorical_accuracy "
SCORES += "recall@5 top-5 f1 IoU auprc exact_match matthews_correlation"
ERRORS = "mape wer logloss perplexity hamming_loss fid lpips mean_squared_error"


@any_backend
@pytest.mark.parametrize("name", SCORES.split())
def test_scores_of_the_field_are_known(name):
    assert is_score(name)
    assert has_direction(name)


@any_backend
@pytest.mark.parametrize("name", ERRORS.split())
def test_errors_of_the_field_are_known(name):
    assert has_direction(name)
    assert not is_score(name)


@any_backend
def test_a_score_in_percent_or_decibels_becomes_an_error():
    percent = {"bleu": [10, 80, 99, 99], "val_bleu": [10, 60, 70, 70]}
    result = diagnose(percent, monitor="bleu")
    assert result.verdict == "high variance"
    assert result.dev_error == pytest.approx(0.3)
    assert result.as_dict()["error"] == "1 - bleu / 100"
    decibels = {"psnr": [10, 30, 40, 40], "val_psnr": [10, 30, 39, 39]}
    result = diagnose(decibels, monitor="psnr")
    assert result.train_error == pytest.approx(1e-4)
    assert result.verdict == "fits"
    rewards = {"reward": [10, 300, 400, 400], "val_reward": [10, 300, 390, 390]}
    assert diagnose(rewards, monitor="reward").cause == "no reference"


@any_backend
def test_train_dev_and_test_may_be_numbers_or_curves():
    result = diagnose(FIVE, train_dev=[0.3, 0.1, 0.02, 0.01, 0.01])
    assert result.verdict == "data mismatch"
    assert result.train_dev_error == pytest.approx(0.01)
    result = diagnose(FIVE, train_dev=0.3, test=0.5)
    assert result.verdict == "high variance and overfitting to the dev set"
    assert result.dev_overfitting == pytest.approx(0.2)
    assert [g.name for g in result.gaps] == [
        "avoidable bias",
        "variance",
        "data mismatch",
        "overfitting to the dev set",
    ]


@any_backend
def test_a_fit_that_ended_early_asks_whether_the_best_was_restored():
    class History:
        history = {
            "accuracy": [0.9, 0.99, 0.99, 0.999, 1, 1],
            "val_accuracy": [0.9, 0.99, 0.99, 0.8, 0.8, 0.8],
        }
        epoch = list(range(6))
        params = {"epochs": 50}

    result = diagnose(History())
    assert (result.verdict, result.cause) == ("undecided", "which epoch")
    assert "At the last epoch" in result.text()
    assert diagnose(History(), at="best").verdict == "fits"
    assert diagnose(History(), callbacks=[]).verdict == "high variance"
    restored = keras.callbacks.EarlyStopping(restore_best_weights=True)
    restored.best_epoch, restored.best_weights = 1, []
    told = diagnose(History(), callbacks=[restored])
    assert (told.verdict, told.restored) == ("fits", 2)
    assert "restored" in told.text()


@any_backend
def test_targets_tell_the_majority_and_the_baseline():
    y = np.arange(1000) < 10
    history = {"accuracy": [0.989, 0.99, 0.99], "val_accuracy": [0.99] * 3}
    result = diagnose(history, y=y)
    assert result.verdict == "high bias"
    assert "largest class (99.0 %)" in " ".join(result.text().split())
    assert "class_weight" in result.steps[0].action
    assert diagnose(history).verdict == "fits"
    loss = {"mse": [0.02, 0.01, 0.01], "val_mse": [0.011, 0.01, 0.01]}
    assert diagnose(loss).cause == "no scale"
    targets = np.random.default_rng(0).normal(size=500)
    assert diagnose(loss, y=targets).verdict == "fits"
    assert diagnose(loss, y=targets / 8).verdict == "high bias"
    # Between the limit and three times it, it may be noise.
    assert diagnose(loss, y=targets / 4).cause == "noise"


@any_backend
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("history", {"history": None}),
        ("model", {"dev": data()}),
        ("dev", {"dev": np.ones(3)}),
        ("train", {"train": (np.ones(3), np.ones(2)), "model": 1}),
        ("train_dev", {"train_dev": "low"}),
        ("test", {"test": np.ones((2, 2))}),
        ("dev_rows", {"dev_rows": 0}),
        ("groups", {"groups": np.ones((2, 2))}),
    ],
)
def test_bad_evidence_is_refused(name, options):
    with pytest.raises(ValueError, match=f"`{name}` of |`y` of diagnose"):
        diagnose(**{"history": FIVE, **options})


@any_backend
def test_a_monitor_refuses_data_that_are_no_pair():
    with pytest.raises(ValueError, match="`train_data` of FitMonitor must be"):
        FitMonitor(train_data=np.ones(3))
    with pytest.raises(ValueError, match="`dev_rows` of FitMonitor must be"):
        FitMonitor(dev_rows=0)
