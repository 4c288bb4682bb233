"""Optuna's TPE as an oracle."""

import importlib
import importlib.util

import keras_tuner
import numpy as np
import pytest

from keras_regopt.tuning import OptunaOracle
from keras_regopt.tuning._curves import Curve, write_curve
from keras_regopt.tuning._encoding import Encoding

pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.skipif(
        importlib.util.find_spec("optuna") is None,
        reason="Optuna is not installed",
    ),
]


def space():
    hp = keras_tuner.HyperParameters()
    hp.Float("a", 1e-4, 1.0, sampling="log")
    hp.Choice("kind", ["x", "y", "z"])
    hp.Int("size", 1, 9, step=2)
    with hp.conditional_scope("kind", ["y"]):
        hp.Float("b", 0.0, 1.0)
    return hp


def loss(values):
    far = (np.log10(values["a"]) + 2) ** 2 + abs(values["size"] - 5)
    return far + (values["b"] if values["kind"] == "y" else 1.0)


def run(folder, seed, trials=30, of=loss):
    oracle = OptunaOracle(
        keras_tuner.Objective("score", "min"),
        trials,
        seed,
        hyperparameters=space(),
    )
    oracle.verbose = 0
    oracle._set_project_dir(folder, "project")
    found = []
    for _ in range(trials):
        trial = oracle.create_trial("tuner0")
        found.append(dict(trial.hyperparameters.values))
        oracle.update_trial(trial.trial_id, {"score": of(found[-1])})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return found


def test_tpe_finds_more_than_chance(tmp_path):
    found = run(tmp_path, 0)
    # The first ten are random.
    first, last = found[:10], found[20:]
    assert np.median([loss(v) for v in last]) < 0.6 * np.median(
        [loss(v) for v in first]
    )
    assert all(("b" in v) == (v["kind"] == "y") for v in found)
    assert all(v["size"] in (1, 3, 5, 7, 9) for v in found)
    assert len({tuple(v.items()) for v in found}) == 30


def test_seeds_of_tpe_are_repeatable_and_differ(tmp_path):
    first = run(tmp_path / "a", 1, 14)
    assert first == run(tmp_path / "b", 1, 14)
    assert first != run(tmp_path / "c", 2, 14)


def test_failed_trials_are_told_to_tpe(tmp_path):
    oracle = OptunaOracle("val_loss", 3, hyperparameters=space())
    oracle._set_project_dir(tmp_path, "project")
    oracle.verbose = 0
    trial = oracle.create_trial("tuner0")
    trial.status = "INVALID"
    oracle.end_trial(trial)
    assert oracle.create_trial("tuner0").status == "RUNNING"


def test_pruned_trials_are_told_to_tpe_as_such(tmp_path):
    oracle = OptunaOracle("val_loss", 3, hyperparameters=space())
    oracle._set_project_dir(tmp_path, "project")
    oracle.verbose = 0
    trial = oracle.create_trial("tuner0")
    folder = tmp_path / "project" / f"trial_{trial.trial_id}"
    write_curve(str(folder), "0", Curve({"0": 1.0}, 0, 0.7, True))
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert trial.status == "STOPPED"
    assert oracle.shares() == [0.7]
    [told] = oracle._ended(optuna_module(), Encoding(space().space))
    assert told.state.name == "PRUNED"
    assert oracle.create_trial("tuner0").status == "RUNNING"


def optuna_module():
    return importlib.import_module("optuna")


def test_bad_arguments_of_tpe_are_refused():
    with pytest.raises(ValueError, match="`num_initial_points`"):
        OptunaOracle("val_loss", num_initial_points=0)
