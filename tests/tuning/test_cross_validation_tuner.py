"""Scores, seeds, callbacks, refits and progress of CrossValidationTuner."""

import statistics
import threading

import keras
import keras_tuner
import numpy as np
import pytest
from fake_search import (
    ORACLES,
    FakeModel,
    FakeTuner,
    Returns,
    X,
    Y,
    fake_tuner,
    history,
    random_oracle,
    searched,
)
from sklearn import model_selection

from keras_regopt.tuning import CrossValidationTuner

pytestmark = pytest.mark.any_backend


def test_the_scores_are_those_of_a_plain_loop_over_the_folds(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3)).astype("float32")
    y = (x[:, 0] > 0).astype("int64")
    weight = rng.uniform(0.5, 1.5, size=20).astype("float32")

    def build(hp):
        hidden = keras.layers.Dense(hp.Int("units", 2, 8), "relu")
        layers = [hidden, keras.layers.Dropout(0.2), keras.layers.Dense(2)]
        model = keras.Sequential(layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.05), loss)
        return model

    tuner = CrossValidationTuner(
        build, random_oracle(), folds=2, seed=7, directory=tmp_path
    )
    arguments = {"epochs": 3, "batch_size": 8, "verbose": 0}
    tuner.search(x, y, sample_weight=weight, **arguments)
    [result] = tuner.cross_validation_results()

    hp = keras_tuner.HyperParameters()
    hp.Fixed("units", result["hyperparameters"]["units"])
    splitter = model_selection.StratifiedKFold(2, shuffle=True, random_state=7)
    scores, epochs = [], []
    for fold, (train, val) in enumerate(splitter.split(x, y)):
        keras.backend.clear_session()
        keras.utils.set_random_seed(tuner.fold_seed("0", fold))
        history = build(hp).fit(
            x[train],
            y[train],
            sample_weight=weight[train],
            validation_data=(x[val], y[val], weight[val]),
            **arguments,
        )
        losses = history.history["val_loss"]
        scores.append(min(losses))
        epochs.append(int(np.argmin(losses)) + 1)
    assert result["scores"] == scores
    assert result["best_epochs"] == epochs
    assert result["mean"] == pytest.approx(np.mean(scores), rel=1e-12)
    assert result["std"] == pytest.approx(np.std(scores, ddof=1), rel=1e-12)

    # The best model is trained on all data, for the median epoch.
    assert result["epochs"] == max(epochs)
    model = tuner.get_best_models()[0]
    keras.backend.clear_session()
    keras.utils.set_random_seed(tuner.fold_seed("0", "all"))
    reference = build(hp)
    arguments["epochs"] = result["epochs"]
    reference.fit(x, y, sample_weight=weight, **arguments)
    for ours, theirs in zip(model.weights, reference.weights, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
        )


# Keras Tuner's Gaussian process, on a handful of points.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_every_oracle_sees_the_mean_of_the_folds(tmp_path, name):
    model = FakeModel()
    tuner = fake_tuner(tmp_path, ORACLES[name](), model)
    tuner.search(X, Y, epochs=2, verbose=0)
    results = tuner.cross_validation_results()
    assert len(model.fits) == 3 * len(results)
    # Every fold of every trial has a seed of its own.
    assert len(set(model.fits)) == len(model.fits)
    assert [r["mean"] for r in results] == sorted(
        (r["mean"] for r in results), reverse=True
    )
    for result in results:
        trial = tuner.oracle.trials[result["trial_id"]]
        assert trial.score == pytest.approx(statistics.fmean(result["scores"]))
        assert trial.metrics.get_history("score")[0].value == result["scores"]
        assert result["standard_error"] == result["std"] / 3**0.5


def test_the_seed_0_gives_the_same_search_twice(tmp_path):
    fits = []
    for folder in "ab":
        model = FakeModel()
        tuner = fake_tuner(
            tmp_path / folder, ORACLES["random"](), model, seed=0
        )
        tuner.search(X, Y, verbose=0)
        fits.append(model.fits)
    assert fits[0] == fits[1]


def test_hyperband_sets_the_epochs_and_trains_from_the_start(tmp_path):
    class Noted(FakeModel):
        def fit(self, hp, model, *args, **kwargs):
            epochs.append(kwargs["epochs"])
            assert "initial_epoch" not in kwargs
            return super().fit(hp, model, *args, **kwargs)

    epochs = []
    tuner = fake_tuner(tmp_path, ORACLES["hyperband"](), Noted())
    tuner.search(X, Y, epochs=99, verbose=0)
    assert set(epochs) == {1, 3}


def test_the_best_epoch_is_that_of_the_objective(tmp_path):
    model = Returns(
        history(val_loss=[3.0, 1.0, 2.0], loss=[9.0, 8.0, 7.0]),
        history(val_loss=[4.0, 3.0, 2.0], loss=[6.0, 5.0, 4.0]),
    )
    tuner = searched(tmp_path, model)
    [result] = tuner.cross_validation_results()
    assert result["scores"] == [1.0, 2.0]
    assert result["best_epochs"] == [2, 3]
    assert result["epochs"] == 3
    [trial] = tuner.oracle.get_best_trials()
    assert trial.score == 1.5
    assert trial.best_step == 2
    assert trial.metrics.get_history("loss")[0].value == [8.0, 4.0]


def test_several_objectives_are_summed(tmp_path):
    oracle = random_oracle(["val_loss", "val_accuracy"])
    model = Returns(
        history(val_loss=[3.0, 1.0], val_accuracy=[0.9, 0.5]),
        {"val_loss": 2.0, "val_accuracy": 0.5},
    )
    [result] = searched(tmp_path, model, oracle).cross_validation_results()
    assert result["scores"] == [0.5, 1.5]


def test_every_fold_gets_fresh_callbacks(tmp_path):
    class Counts(keras.callbacks.Callback):
        def __init__(self, shared):
            super().__init__()
            self.shared = shared
            self.seen = 0

    shared = []
    mine = [Counts(shared), Counts(shared)]
    model = Returns(0.5, 0.5)
    searched(tmp_path, model, random_oracle("loss"), callbacks=mine)
    given = [c[1]["callbacks"][:2] for c in model.calls]
    assert all(type(c) is Counts for pair in given for c in pair)
    copies = [*mine, *given[0], *given[1]]
    assert len({id(c) for c in copies}) == 6
    # What two callbacks share, their copies share.
    assert given[0][0].shared is given[0][1].shared is not shared


def test_a_callback_that_cannot_be_copied_is_named_with_the_remedy(tmp_path):
    class Locked(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

    with pytest.raises(ValueError, match=r"Locked.*Build it in `HyperModel"):
        searched(tmp_path, Returns(), callbacks=[Locked()])


def test_the_refit_drops_what_needs_validation_data(tmp_path):
    watch = [
        keras.callbacks.EarlyStopping("val_loss"),
        keras.callbacks.EarlyStopping("loss"),
    ]
    model = Returns(
        history(val_loss=[3.0, 1.0]), history(val_loss=[1.0, 3.0]), None
    )
    tuner = searched(tmp_path, model, callbacks=watch, epochs=9)
    tuner.get_best_models()
    args, kwargs = model.calls[-1]
    assert len(args[0]) == len(X)
    assert "validation_data" not in kwargs
    assert kwargs["epochs"] == 2
    assert [c.monitor for c in kwargs["callbacks"]] == ["loss"]


def test_the_best_models_need_the_data(tmp_path):
    tuner = FakeTuner(Returns(), random_oracle(), directory=tmp_path)
    with pytest.raises(RuntimeError, match=r"Call search\(\) with them first"):
        tuner.get_best_models()


def test_progress_is_shown_and_can_be_silenced(tmp_path, capsys):
    results = [
        history(val_loss=[3.0, 1.0]),
        history(val_loss=[1.5, 3.0]),
        4.0,
        6.0,
    ]
    for verbose in (1, 0):
        model = Returns(*results)
        oracle = random_oracle(max_trials=2)
        folder = tmp_path / str(verbose)
        tuner = FakeTuner(model, oracle, folds=2, directory=folder)
        tuner.search(X, Y, verbose=verbose)
        out = capsys.readouterr().out
        if not verbose:
            assert out == ""
    lines = [
        "Trial 1 of 2: rate=0.",
        "  Fold 1 of 2: val_loss 1 (best epoch 2)",
        "  Fold 2 of 2: val_loss 1.5 (best epoch 1)",
        "  val_loss 1.25 +- 0.3536; best so far 1.25 +- 0.3536 (trial 1); ",
        "Trial 2 of 2: rate=0.",
        "  Fold 1 of 2: val_loss 4",
        "  Fold 2 of 2: val_loss 6",
        "  val_loss 5 +- 1.414; best so far 1.25 +- 0.3536 (trial 1); elapsed",
    ]
    FakeTuner(
        Returns(*results),
        random_oracle(max_trials=2),
        folds=2,
        directory=tmp_path,
    ).search(X, Y)
    shown = capsys.readouterr().out.splitlines()
    for line, start in zip(shown, lines, strict=True):
        assert line.startswith(start)
    tuner.results_summary()
    out = capsys.readouterr().out
    assert "Trial 0: 1.25 +- 0.3536" in out
    assert "folds: 1, 1.5" in out
    assert "best epoch, median: 2" in out
