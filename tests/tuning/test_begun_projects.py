"""What may differ, and what not, when a project is gone on with."""

import json
import subprocess
import sys

import keras
import keras_tuner
import numpy as np
import pytest
from fake_search import FakeModel, FakeTuner, Returns, X, Y, random_oracle

from keras_regopt import callbacks as ours
from keras_regopt.tuning import (
    BayesianOracle,
    GridOracle,
    RandomOracle,
    _made_with,
    _state,
)

pytestmark = [
    pytest.mark.any_backend,
    # Keras Tuner's; `pytest.warns` hands it on as if it were ours.
    pytest.mark.filterwarnings(
        "ignore:(currentThread|getName):DeprecationWarning"
    ),
]


def search(directory, model=None, oracle=None, **options):
    tuner = FakeTuner(
        model or FakeModel(),
        oracle or random_oracle(keras_tuner.Objective("score", "max")),
        folds=2,
        directory=directory,
    )
    tuner.search(X, Y, verbose=0, **options)
    return tuner


class Mine(keras.callbacks.Callback):
    def __init__(self, patience=1):
        super().__init__()
        self.patience = patience


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (
            [keras.callbacks.EarlyStopping("loss", patience=1)],
            [keras.callbacks.EarlyStopping("loss", patience=2)],
        ),
        (
            [ours.EarlyStopping("loss", patience=1)],
            [ours.EarlyStopping("loss", patience=2)],
        ),
        ([], [keras.callbacks.TerminateOnNaN()]),
    ],
)
def test_other_callbacks_are_refused(tmp_path, before, now):
    search(tmp_path, callbacks=before)
    with pytest.raises(ValueError, match="`callbacks` must be"):
        search(tmp_path, callbacks=now)


def test_other_class_weights_are_refused(tmp_path):
    search(tmp_path, class_weight={0: 1.0, 1: np.float64(2.0)})
    search(tmp_path, class_weight={0: 1.0, 1: 2.0})
    with pytest.raises(ValueError, match=r"`class_weight` must be .* 2\.0"):
        search(tmp_path, class_weight={0: 1.0, 1: 3.0})


def test_other_places_to_write_to_are_fine(tmp_path):
    for name in "ab":
        path = tmp_path / name
        callbacks = [
            keras.callbacks.CSVLogger(path / "log.csv"),
            keras.callbacks.ModelCheckpoint(str(path / "model.keras")),
            ours.LearningRateLogger(log_dir=path),
            # Nothing is known of its arguments.
            Mine(patience=1 if name == "a" else 2),
        ]
        search(tmp_path, callbacks=callbacks)


def test_other_code_gives_a_warning_that_names_it(tmp_path, monkeypatch):
    search(tmp_path, callbacks=[Mine()])
    search(tmp_path, callbacks=[Mine()])
    source = _made_with.inspect.getsource

    def changed(thing):
        return source(thing) + ("# new" if thing is not FakeTuner else "")

    monkeypatch.setattr(_made_with.inspect, "getsource", changed)
    with pytest.warns(UserWarning, match="code of `FakeModel` and `Mine` has"):
        search(tmp_path, callbacks=[Mine()])


def test_a_function_that_builds_is_known_by_its_code(tmp_path):
    def build(hp):
        return hp

    [(name, code)] = _made_with.codes(build, []).items()
    assert name.endswith("build")
    # As Keras Tuner holds it.
    tuner = FakeTuner(build, random_oracle(), directory=tmp_path)
    assert _made_with.codes(tuner.hypermodel, []) == {name: code}
    assert _made_with.codes(len, []) == {}


def test_another_seed_of_the_oracle_gives_a_warning(tmp_path):
    score = keras_tuner.Objective("score", "max")
    oracles = [
        keras_tuner.oracles.RandomSearchOracle(score, 2, seed=seed)
        for seed in (3, 4)
    ]
    before = search(tmp_path, oracle=oracles[0]).cross_validation_results()
    with pytest.warns(UserWarning, match="seed 3.* an oracle of seed 4"):
        tuner = search(tmp_path, oracle=oracles[1])
    assert tuner.oracle.seed == 3
    assert tuner.cross_validation_results() == before


@pytest.mark.parametrize(
    ("oracle", "name", "before", "now"),
    [
        (RandomOracle, "oracle_seed", {"seed": 0}, {"seed": 1}),
        (GridOracle, "shuffles", {}, {"seed": 0}),
        (
            BayesianOracle,
            "num_initial_points",
            {},
            {"num_initial_points": 5},
        ),
    ],
)
def test_other_settings_of_an_oracle_are_refused(
    tmp_path, oracle, name, before, now
):
    score = keras_tuner.Objective("score", "max")
    search(tmp_path, oracle=oracle(score, 1, **before))
    # More trials are fine.
    search(tmp_path, oracle=oracle(score, 2, **before))
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        search(tmp_path, oracle=oracle(score, 3, **now))


def test_a_project_is_searched_by_one_process_at_a_time(tmp_path):
    tuner = search(tmp_path)
    lock = tmp_path / "untitled_project" / "search.lock"
    script = (
        "import fcntl, sys, time\n"
        "file = open(sys.argv[1], 'a+')\n"
        "fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "file.truncate(0)\n"
        "print('1234 on elsewhere', file=file, flush=True)\n"
        "print('locked', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, lock], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(RuntimeError, match="in use by process 1234 on els"):
            search(tmp_path)
        other.kill()
    # What a killed process leaves is in nobody's way.
    assert lock.read_text() == "1234 on elsewhere\n"
    results = search(tmp_path).cross_validation_results()
    assert results == tuner.cross_validation_results()
    assert lock.read_text() == ""


def test_a_search_within_a_search_is_refused(tmp_path):
    class Nests(FakeModel):
        def fit(self, *args, **kwargs):
            search(tmp_path)

    with (
        pytest.warns(UserWarning, match="only trial failed: RuntimeError: The"),
        pytest.raises(RuntimeError, match="in use by this process"),
    ):
        search(tmp_path, Nests()).get_best_models()


def test_a_tuner_that_another_one_has_overtaken_is_refused(tmp_path):
    score = keras_tuner.Objective("score", "max")
    search(tmp_path, oracle=random_oracle(score, 1))
    slow = FakeTuner(
        FakeModel(), random_oracle(score, 2), folds=2, directory=tmp_path
    )
    search(tmp_path, oracle=random_oracle(score, 2))
    with pytest.raises(RuntimeError, match="Make the tuner again"):
        slow.search(X, Y, verbose=0)


def test_a_project_of_another_version_is_refused(tmp_path):
    search(tmp_path)
    path = tmp_path / "untitled_project" / "tuner.json"
    state = json.loads(path.read_text())
    state["writer"] = "keras_regopt.CrossValidationTuner/1"
    _state.write_json(path, state)
    with pytest.raises(RuntimeError, match="is of another version or tuner"):
        search(tmp_path)


def test_values_are_python_numbers_from_the_start(tmp_path):
    class NumPy(keras_tuner.oracles.RandomSearchOracle):
        def populate_space(self, trial_id):
            return {"status": "RUNNING", "values": {"rate": np.float64(0.5)}}

    class Noted(Returns):
        def fit(self, hp, model, *args, **kwargs):
            kinds.append(type(hp.get("rate")))
            return super().fit(hp, model, *args, **kwargs)

    kinds = []
    oracle = NumPy("loss", 1, seed=1)
    tuner = FakeTuner(Noted(0.5, 0.5), oracle, folds=2, directory=tmp_path)
    tuner.search(X, Y, verbose=0)
    assert kinds == [float, float]


def test_garbage_is_collected_once_a_trial(tmp_path, monkeypatch):
    cleared = []

    def clear_session(free_memory=True):
        cleared.append(free_memory)

    def build(hp):
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit = lambda *args, **kwargs: {"loss": hp.Float("a", 0.0, 1.0)}
        return model

    from keras_regopt.tuning import CrossValidationTuner

    tuner = CrossValidationTuner(
        build, random_oracle("loss", 2), folds=3, directory=tmp_path
    )
    monkeypatch.setattr(keras.backend, "clear_session", clear_session)
    tuner.search(X, Y, verbose=0)
    assert cleared == [True, False, False] * 2
