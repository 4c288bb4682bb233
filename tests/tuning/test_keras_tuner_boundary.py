"""Whether Keras Tuner still has what `_keras_tuner.py` reaches into.

One check for each accessor, which fails under its name.
"""

import os

import keras_tuner
import pytest
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    RandomSearchOracle,
)

from keras_regopt.tuning import _keras_tuner

pytestmark = pytest.mark.any_backend


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "project")


def oracle_of(cls, folder):
    space = keras_tuner.HyperParameters()
    space.Int("units", 1, 8)
    oracle = cls("val_loss", max_trials=8, hyperparameters=space, seed=3)
    os.makedirs(folder, exist_ok=True)
    oracle._set_project_dir(os.path.dirname(folder), os.path.basename(folder))
    return oracle


def run(oracle, trials):
    for number in range(trials):
        trial = oracle.create_trial("tuner0")
        oracle.update_trial(trial.trial_id, {"val_loss": float(number)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return trial


def project_folder(folder):
    oracle = oracle_of(RandomSearchOracle, folder)
    assert _keras_tuner.project_folder(oracle) == folder


def oracle_file(folder):
    oracle = oracle_of(RandomSearchOracle, folder)
    path = _keras_tuner.oracle_file(oracle)
    assert path == os.path.join(folder, "oracle.json")
    oracle.save()
    assert os.path.exists(path)


def trial_file(folder):
    oracle = oracle_of(RandomSearchOracle, folder)
    trial = run(oracle, 1)
    assert os.path.exists(_keras_tuner.trial_file(oracle, trial.trial_id))


def replace_writing(folder):
    oracle = oracle_of(RandomSearchOracle, folder)
    saves, trials = [], []
    _keras_tuner.replace_writing(oracle, lambda: saves.append(1), trials.append)
    trial = run(oracle, 1)
    assert saves
    assert trial.trial_id in {t.trial_id for t in trials}
    assert not any("json" in name for name in os.listdir(folder))


def waiting_trials(folder):
    oracle = oracle_of(RandomSearchOracle, folder)
    oracle.max_retries_per_trial = 1
    trial = oracle.create_trial("tuner0")
    trial.status = "INVALID"
    oracle.end_trial(trial)
    assert _keras_tuner.waiting_trials(oracle) == [trial.trial_id]
    assert oracle.create_trial("tuner0").trial_id == trial.trial_id


def run_times(folder):
    oracle = oracle_of(RandomSearchOracle, folder)
    oracle.max_retries_per_trial = 1
    trial = oracle.create_trial("tuner0")
    assert _keras_tuner.run_times(oracle, trial.trial_id) == 0
    trial.status = "INVALID"
    oracle.end_trial(trial)
    assert _keras_tuner.run_times(oracle, trial.trial_id) == 1


def forgotten_state(folder):
    state = _keras_tuner.forgotten_state(oracle_of(RandomSearchOracle, folder))
    assert state == {}
    oracle = oracle_of(GridSearchOracle, folder + "_grid")
    run(oracle, 3)
    state = _keras_tuner.forgotten_state(oracle)
    assert state["grid_order"] == oracle.start_order
    assert state["grid_next"] == [oracle.start_order[-1]]
    oracle = oracle_of(BayesianOptimizationOracle, folder + "_bayes")
    before = _keras_tuner.forgotten_state(oracle)["random_state"]
    run(oracle, 6)
    after = _keras_tuner.forgotten_state(oracle)["random_state"]
    assert before["state"] != after["state"]


def set_forgotten_state(folder):
    for cls in (GridSearchOracle, BayesianOptimizationOracle):
        oracle = oracle_of(cls, f"{folder}_{cls.__name__}")
        run(oracle, 4)
        state = _keras_tuner.forgotten_state(oracle)
        fresh = oracle_of(cls, f"{folder}_{cls.__name__}")
        fresh.trials = dict(oracle.trials)
        fresh.set_state(oracle.get_state())
        _keras_tuner.set_forgotten_state(fresh, state)
        assert _keras_tuner.forgotten_state(fresh) == state
        values = [
            o.create_trial("tuner0").hyperparameters for o in (oracle, fresh)
        ]
        assert values[0].values == values[1].values


def TunerCallback(folder):
    tuner = keras_tuner.RandomSearch(
        lambda hp: None,
        objective="val_loss",
        hyperparameters=keras_tuner.HyperParameters(),
        tune_new_entries=False,
        directory=folder,
    )
    trial = keras_tuner.engine.trial.Trial(tuner.oracle.get_space())
    ended = []
    tuner.on_epoch_end = lambda *arguments, **_: ended.append(arguments)
    callback = _keras_tuner.TunerCallback(tuner, trial)
    callback.on_epoch_end(2, {})
    assert ended[0][0] is trial


CHECKS = (
    TunerCallback,
    forgotten_state,
    oracle_file,
    project_folder,
    replace_writing,
    run_times,
    set_forgotten_state,
    trial_file,
    waiting_trials,
)


# Of the few points that the Bayesian oracle fits its model to.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_keras_tuner_still_has(check, folder):
    check(folder)


def test_every_accessor_has_its_check():
    names = [check.__name__ for check in CHECKS]
    assert sorted(names) == sorted(_keras_tuner.__all__)


# What our tuners write in the place of a private method, or call of their own.
INHERITED = (
    "_build_hypermodel",
    "_configure_tensorboard_dir",
    "_get_tuner_fname",
    "_populate_initial_space",
    "_run_and_update_trial",
    "_try_build",
)


@pytest.mark.parametrize("name", INHERITED)
def test_keras_tuner_still_lets_inherit(name):
    assert callable(getattr(keras_tuner.Tuner, name))
