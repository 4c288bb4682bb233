"""Trials that are ended in mid-fit."""

import gc
import json

import asha_search
import keras
import keras_tuner
import numpy as np
import pytest
from fake_search import ORACLES, X, Y
from keras_tuner.errors import FatalValueError

from keras_regopt.tuning import (
    BayesianOracle,
    CrossValidationTuner,
    PruningCallback,
    RandomOracle,
)
from keras_regopt.tuning._curves import Curve

pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.filterwarnings(
        "ignore:(currentThread|getName):DeprecationWarning"
    ),
]


@pytest.fixture(autouse=True)
def no_garbage(monkeypatch):
    """Keras Tuner collects it twice a model, which takes longer than a fit."""
    monkeypatch.setattr(gc, "collect", lambda *args: 0)


class Curves(keras.callbacks.Callback):
    """Puts a value into the logs that falls with the epochs to a level."""

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.model.level + 0.5 ** (epoch + 1)


class Hyper(keras_tuner.HyperModel):
    """Models whose validation score is a hyperparameter, and an epoch more."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def build(self, hp):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.level = hp.Float("level", 0.0, 1.0)
        return model

    def fit(self, hp, model, *args, callbacks=(), **kwargs):
        history = model.fit(
            *args,
            callbacks=[Curves(), *callbacks],
            verbose=0,
            **without(kwargs),
        )
        self.epochs.append(len(history.epoch))
        return history


def without(kwargs):
    names = ("epochs", "validation_data")
    return {name: kwargs[name] for name in names if name in kwargs}


def score(direction="min"):
    return keras_tuner.Objective("score", direction)


def search(folder, oracle, callback, tuner=None, **options):
    hypermodel = Hyper()
    options = {"oracle": oracle, "directory": folder, **options}
    kind = tuner or CrossValidationTuner
    tuner = kind(hypermodel=hypermodel, **options)
    tuner.search(X, Y, epochs=4, callbacks=[callback], verbose=0)
    return tuner, hypermodel


def levels(oracle, status):
    return [
        oracle.trials[name].hyperparameters.values["level"]
        for name in oracle.start_order
        if oracle.trials[name].status == status
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"percentile": 0}, r"`percentile` .* must be a number > 0"),
        ({"percentile": 100}, "`percentile`"),
        ({"percentile": None}, "`percentile` .* no `threshold`"),
        ({"threshold": "a"}, "`threshold`"),
        ({"min_trials": 0}, r"`min_trials` .* >= 1"),
        ({"start_from_epoch": -1}, "`start_from_epoch`"),
        ({"verbose": 2}, "`verbose`"),
    ],
)
def test_bad_arguments_of_pruning_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PruningCallback(**arguments)


def test_a_trial_worse_than_the_median_ends_and_has_no_score(tmp_path):
    oracle = RandomOracle(score(), 10, seed=1)
    callback = PruningCallback(min_trials=3)
    tuner, model = search(tmp_path, oracle, callback, folds=2)
    tried = [
        oracle.trials[name].hyperparameters.values["level"]
        for name in oracle.start_order
    ]
    # Of an even number, the higher middle one counts.
    expected = [
        i >= 3 and level > np.quantile(tried[:i], 0.5, method="higher")
        for i, level in enumerate(tried)
    ]
    pruned = [
        oracle.trials[name].status == "STOPPED" for name in oracle.start_order
    ]
    assert pruned == expected
    assert 2 <= sum(pruned) < 7
    # Two epochs of a first fold, or all of two folds.
    assert model.epochs == [
        e for bad in pruned for e in ([2] if bad else [4, 4])
    ]
    results = tuner.cross_validation_results()
    assert len(results) == 10 - sum(pruned)
    for name, bad in zip(oracle.start_order, pruned, strict=True):
        assert (oracle.trials[name].score is None) == bad
        assert not bad or "after epoch 2" in oracle.trials[name].message


def test_a_search_with_pruning_goes_on_from_its_files(tmp_path):
    callback = PruningCallback(min_trials=3)
    whole, _ = search(
        tmp_path / "a", RandomOracle(score(), 8, 1), callback, folds=2
    )
    search(tmp_path / "b", RandomOracle(score(), 6, 1), callback, folds=2)
    tuner, model = search(
        tmp_path / "b", RandomOracle(score(), 8, 1), callback, folds=2
    )
    assert tuner.cross_validation_results() == whole.cross_validation_results()
    assert len(model.epochs) <= 4


@pytest.mark.parametrize("percentile", [20.0, 80.0])
def test_a_percentile_says_how_many_go_on(tmp_path, percentile):
    oracle = RandomOracle(score(), 18, seed=2)
    callback = PruningCallback(percentile, min_trials=2)
    search(
        tmp_path, oracle, callback, keras_tuner.Tuner, executions_per_trial=1
    )
    pruned = len(levels(oracle, "STOPPED"))
    # A later trial is compared with the best values, pruned ones included.
    expected = 16 * (1 - percentile / 100)
    assert abs(pruned - expected) <= 4


@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_threshold_ends_what_is_worse(tmp_path, direction):
    oracle = RandomOracle(score(direction), 8, seed=1)
    callback = PruningCallback(
        None, threshold=0.75, start_from_epoch=1, min_trials=1
    )
    search(tmp_path, oracle, callback, keras_tuner.Tuner)
    best = [
        level + (0.25 if direction == "min" else 0.5)
        for level in levels(oracle, "STOPPED")
    ]
    rest = [
        level + (0.25 if direction == "min" else 0.5)
        for level in levels(oracle, "COMPLETED")
    ]
    assert best
    assert rest
    if direction == "min":
        assert min(best) > 0.75 >= max(rest)
    else:
        assert max(best) < 0.75 <= min(rest)


@pytest.mark.parametrize(
    "kind",
    [
        keras_tuner.RandomSearch,
        keras_tuner.BayesianOptimization,
        keras_tuner.GridSearch,
    ],
)
def test_the_tuners_of_keras_tuner_take_the_best_value_so_far(tmp_path, kind):
    model = Hyper()
    tuner = kind(model, score(), max_trials=8, seed=3, directory=tmp_path)
    callback = PruningCallback(min_trials=3)
    tuner.search(X, Y, epochs=4, callbacks=[callback], verbose=0)
    short = [n for n, e in zip("01234567", model.epochs, strict=True) if e < 4]
    assert short
    scores = {n: t.score for n, t in tuner.oracle.trials.items()}
    assert all(t.status == "COMPLETED" for t in tuner.oracle.trials.values())
    best = min(scores, key=scores.get)
    assert best not in short
    assert tuner.oracle.get_best_trials()[0].trial_id == best


def test_hyperband_prunes(tmp_path):
    model = Hyper()
    tuner = keras_tuner.Hyperband(
        model, score(), max_epochs=4, factor=2, seed=3, directory=tmp_path
    )
    callback = PruningCallback(min_trials=3)
    tuner.search(X, Y, callbacks=[callback], verbose=0)
    files = sorted(tmp_path.glob("*/trial_*/curves.json"))
    curves = [json.loads(file.read_text())["0"] for file in files]
    assert len(curves) == len(tuner.oracle.trials)
    assert any(curve["pruned"] is not None for curve in curves)


def test_an_unfinished_curve_never_enters_the_model_as_final(tmp_path):
    oracle = BayesianOracle(score(), 12, 1, num_initial_points=6)
    seen = []
    spy = oracle._promising_points

    def promising(number, encoding, finished, unknown):
        seen.append((finished, unknown))
        return spy(number, encoding, finished, unknown)

    oracle._promising_points = promising
    search(tmp_path, oracle, PruningCallback(min_trials=3), keras_tuner.Tuner)
    pruned = levels(oracle, "STOPPED")
    assert pruned
    for finished, unknown in seen:
        # The curve of a finished trial ends there.
        for point, loss in finished:
            assert loss == pytest.approx(point[0] + 0.5**4, abs=1e-9)
        for point, share in unknown:
            assert point[0] == pytest.approx(pruned[0]) or share >= 0.4
            assert 0.4 <= share <= 1
    assert len(seen[-1][1]) >= 1


def test_a_nan_is_the_worst_value_and_a_finished_curve_counts_on():
    nan = float("nan")
    assert Curve({"0": nan, "1": 2.0}).best(0) == float("inf")
    assert Curve({"0": nan, "1": 2.0}).best(1) == 2.0
    assert Curve({"0": 3.0, "1": 4.0}).best(5) is None
    assert Curve({"0": 3.0, "1": 4.0}, ended=True).best(5) == 3.0
    assert Curve({"0": 3.0}, pruned=0, ended=True).best(1) is None
    assert Curve().best(0) is None


def test_what_cannot_be_pruned_is_refused(tmp_path):
    oracle = ORACLES["bayesian"]()
    oracle.objective = score()
    with pytest.raises(FatalValueError, match="Use BayesianOracle"):
        search(tmp_path / "a", oracle, PruningCallback(), folds=2)
    with pytest.raises(FatalValueError, match="not go with AshaOracle"):
        asha_search.search(tmp_path / "d", used=lambda: [PruningCallback()])
    with pytest.raises(FatalValueError, match="executions_per_trial=2"):
        search(
            tmp_path / "b",
            RandomOracle(score(), 1),
            PruningCallback(),
            keras_tuner.Tuner,
            executions_per_trial=2,
        )
    with pytest.raises(FatalValueError, match="'never'"):
        search(
            tmp_path / "c",
            RandomOracle(keras_tuner.Objective("never", "min"), 1),
            PruningCallback(),
            keras_tuner.Tuner,
        )


def test_without_a_search_pruning_does_nothing():
    model = Hyper().build(keras_tuner.HyperParameters())
    callback = PruningCallback()
    history = model.fit(X, Y, epochs=2, callbacks=[callback], verbose=0)
    assert len(history.epoch) == 2
    assert callback.state() == {
        "losses": {},
        "pruned_epoch": None,
        "share": None,
    }


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_when_all_are_pruned_the_search_says_so(tmp_path):
    callback = PruningCallback(None, threshold=-1.0)
    oracle = RandomOracle(score(), 2)
    with pytest.warns(UserWarning, match="All 2 trials failed or were pruned"):
        search(tmp_path, oracle, callback, folds=2)
