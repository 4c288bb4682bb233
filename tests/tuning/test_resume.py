"""A search that is killed goes on as if nothing had happened."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import keras_tuner
import killed_search
import pytest
from apart import environment
from deaths import Killed, dies_at
from fake_search import ORACLES, FakeModel, X, Y, fake_tuner

# Keras Tuner's Gaussian process, on a handful of points.
pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


def _search(directory, name, model=None):
    tuner = fake_tuner(directory, ORACLES[name](), model)
    tuner.search(X, Y, epochs=2, verbose=0)
    return tuner


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_kill_at_any_write_changes_no_result(tmp_path, monkeypatch, name):
    with monkeypatch.context() as patch:
        writes = dies_at(patch, None)
        model = FakeModel()
        whole = _search(tmp_path / "whole", name, model)
    expected = whole.cross_validation_results()
    order = whole.oracle.start_order
    assert len(expected) == len(order) > 3
    # A trial writes 12 times: in steps of 5, every one of these comes up.
    # The Bayesian model is slow. At the 8th the first trial has trained all
    # folds, and only their file knows the hyperparameter of `fit`.
    step = 11 if "bayesian" in name else 5
    for write in (8, *range(1, writes() + 1, step)):
        directory = tmp_path / str(write)
        broken = FakeModel()
        with monkeypatch.context() as patch:
            dies_at(patch, write)
            with pytest.raises(Killed):
                _search(directory, name, broken)
        resumed = FakeModel()
        tuner = _search(directory, name, resumed)
        assert tuner.cross_validation_results() == expected, write
        assert list(tuner.oracle.trials) == order
        assert tuner.oracle.start_order == order
        assert tuner.oracle.end_order == whole.oracle.end_order
        # At most the fold that was being saved is trained twice.
        again = len(broken.fits) + len(resumed.fits) - len(model.fits)
        assert again in (0, 1), write
        states = [
            json.loads((folder / "search" / "oracle.json").read_text())
            for folder in (directory, tmp_path / "whole")
        ]
        assert states[0]["keras_regopt"] == states[1]["keras_regopt"]
        assert states[0]["hyperparameters"] == states[1]["hyperparameters"]


def test_the_oracle_files_can_be_read_by_keras_tuner_itself(tmp_path):
    tuner = _search(tmp_path, "random")
    oracle = ORACLES["random"]()
    oracle._set_project_dir(tmp_path, "search")
    oracle.reload()
    best = tuner.cross_validation_results()[0]
    trial = oracle.get_best_trials()[0]
    assert trial.score == pytest.approx(best["mean"], rel=1e-12)
    [observation] = trial.metrics.get_history("score")
    assert observation.value == best["scores"]


def test_a_finished_search_is_not_run_again(tmp_path):
    first = _search(tmp_path, "random")
    model = FakeModel()
    second = _search(tmp_path, "random", model)
    assert model.fits == []
    results = second.cross_validation_results()
    assert results == first.cross_validation_results()


def test_results_can_be_read_without_a_search(tmp_path):
    first = _search(tmp_path, "bayesian")
    tuner = fake_tuner(tmp_path, ORACLES["bayesian"]())
    results = tuner.cross_validation_results()
    assert results == first.cross_validation_results()
    best = tuner.get_best_hyperparameters()[0].values
    assert best == results[0]["hyperparameters"]


def test_a_search_goes_on_with_more_trials(tmp_path):
    first = _search(tmp_path, "random")
    oracle = keras_tuner.oracles.RandomSearchOracle(
        first.oracle.objective, max_trials=8, seed=3
    )
    model = FakeModel()
    tuner = fake_tuner(tmp_path, oracle, model)
    tuner.search(X, Y, epochs=2, verbose=0)
    assert len(tuner.cross_validation_results()) == 8
    assert len(model.fits) == 3 * 3


def test_overwrite_starts_again(tmp_path):
    _search(tmp_path, "random")
    model = FakeModel()
    tuner = fake_tuner(tmp_path, ORACLES["random"](), model, overwrite=True)
    assert tuner.cross_validation_results() == []
    tuner.search(X, Y, epochs=2, verbose=0)
    assert len(model.fits) == 5 * 3


@pytest.mark.parametrize(
    "name", ["oracle.json", "tuner.json", "trial_2/trial.json"]
)
@pytest.mark.parametrize("content", ["", '{"seed": 5, "ora', "[]", "{}"])
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, name, content):
    _search(tmp_path, "random")
    path = tmp_path / "search" / name
    path.write_text(content)
    with pytest.raises(RuntimeError) as error:
        fake_tuner(tmp_path, ORACLES["random"]())
    assert str(path) in str(error.value)
    assert "overwrite=True" in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_a_damaged_file_of_folds_is_named(tmp_path, content):
    _search(tmp_path, "random")
    path = tmp_path / "search" / "trial_2" / "folds.json"
    path.write_text(content)
    tuner = fake_tuner(tmp_path, ORACLES["random"]())
    with pytest.raises(RuntimeError) as error:
        tuner.cross_validation_results()
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "name", ["oracle.json", "tuner.json", "trial_2/trial.json"]
)
def test_a_missing_file_does_not_restart_the_search(tmp_path, name):
    _search(tmp_path, "random")
    (tmp_path / "search" / name).unlink()
    with pytest.raises(RuntimeError, match=r"state file .* (is missing|was)"):
        fake_tuner(tmp_path, ORACLES["random"]())


def test_a_project_of_another_tuner_is_refused(tmp_path):
    class Other(keras_tuner.Tuner):
        def run_trial(self, trial, *args, **kwargs):
            return trial.hyperparameters.Float("rate", 0.0, 1.0)

    options = {"directory": tmp_path, "project_name": "search"}
    oracle = keras_tuner.oracles.RandomSearchOracle(max_trials=1, seed=1)
    Other(oracle, **options).search(verbose=0)
    with pytest.raises(RuntimeError, match="not written by this tuner"):
        fake_tuner(tmp_path, ORACLES["random"]())


@pytest.mark.parametrize(
    ("name", "options"), [("seed", {"seed": 6}), ("oracle", {})]
)
def test_another_setting_than_that_of_the_project_is_refused(
    tmp_path, name, options
):
    _search(tmp_path, "random")
    oracle = ORACLES["grid" if name == "oracle" else "random"]()
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        fake_tuner(tmp_path, oracle, **options)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("data", {"x": X + 1}),
        ("data", {"sample_weight": Y}),
        ("folds", {"groups": Y // 2}),
        ("epochs", {"epochs": 3}),
        ("batch_size", {"batch_size": 3}),
    ],
)
def test_another_search_than_that_of_the_project_is_refused(
    tmp_path, name, change
):
    _search(tmp_path, "random")
    tuner = fake_tuner(tmp_path, ORACLES["random"]())
    arguments = {"x": X, "y": Y, "epochs": 2, "verbose": 0, **change}
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        tuner.search(**arguments)


@pytest.mark.long
def test_a_process_killed_three_times_ends_with_the_same_results(
    tmp_path, capsys
):
    script = Path(__file__).with_name("killed_search.py")

    def child(deadly):
        return subprocess.run(
            [sys.executable, script, tmp_path / "killed", str(deadly)],
            capture_output=True,
            text=True,
            timeout=300,
            env=environment(),
        )

    # While the first fold is saved, then the second, then the end of the
    # trial: its own file says that it is finished, the oracle's does not.
    for deadly in (5, 4, 8):
        killed = child(deadly)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = killed_search.run(tmp_path / "killed")
    assert capsys.readouterr().out.count("from an earlier run") == 2
    assert resumed == killed_search.run(tmp_path / "whole")
    assert len(resumed[0]["scores"]) == 2
