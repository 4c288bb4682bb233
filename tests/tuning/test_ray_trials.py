"""Trials of a search with Ray, run here as a worker runs them, without Ray."""

import gc
import json
import os
import shutil
import types

import asha_search
import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.model_selection import KFold, ShuffleSplit

from keras_regopt import layers
from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.callbacks.backup._backup_directory import LATEST
from keras_regopt.tuning import TunableFit
from keras_regopt.tuning._data import FoldedData
from keras_regopt.tuning._ray_trial import Job, run_trial

X, Y = asha_search.X, asha_search.Y
EPOCHS = 3


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Collecting garbage takes longer than these trainings."""
    monkeypatch.setattr(gc, "collect", lambda *args: 0)
    monkeypatch.setattr(os, "fsync", lambda file: None)


def make_job(build=asha_search.build, folds=None, token="", **options):
    owner = types.SimpleNamespace(
        folds=folds or KFold(2, shuffle=True, random_state=0),
        stratify=False,
        seed=0,
    )
    options = {
        "callbacks": [ReduceLROnPlateau("val_loss", factor=0.5, patience=1)],
        "objective": keras_tuner.Objective("val_loss", "min"),
        "data": FoldedData(owner, X, Y),
        "backend": keras.backend.backend(),
        **options,
    }
    hypermodel = TunableFit(build)
    space = keras_tuner.HyperParameters()
    hypermodel.build(space)
    return Job(
        hypermodel=hypermodel,
        space=space,
        epochs=EPOCHS,
        fit_kwargs={"batch_size": 4},
        seed=0,
        token=token,
        **options,
    )


class Storage:
    """Keeps what a trial reports, and may end it there.

    Args:
        folder: Where the checkpoints go.
        dies_at: Number of the report that is the last one, from 1.
        in_report: Whether that one is lost.
    """

    def __init__(self, folder, dies_at=None, in_report=False):
        self.folder, self.dies_at, self.in_report = folder, dies_at, in_report
        self.reports, self.last = [], None

    def __call__(self, metrics, folder):
        dies = len(self.reports) + 1 == self.dies_at
        if dies and self.in_report:
            raise SystemExit
        self.reports.append(metrics)
        self.last = os.path.join(self.folder, f"{len(self.reports)}")
        shutil.copytree(folder, self.last)
        if dies:
            raise SystemExit


def run(folder, job, start=None, population=None, **options):
    trial = {"number": 0, "values": {"rate": 0.05}}
    if "rate" not in job.space:
        trial["values"] = {}
    trial["population"] = population or {}
    os.makedirs(folder, exist_ok=True)
    storage = Storage(folder, **options)
    if storage.dies_at:
        with pytest.raises(SystemExit):
            run_trial(job, trial, start, storage)
    else:
        run_trial(job, trial, start, storage)
    return storage


@pytest.mark.any_backend
def test_a_trial_that_was_killed_ends_as_it_would_have(tmp_path):
    job = make_job()
    whole = run(tmp_path / "whole", job)
    assert [r["epoch"] for r in whole.reports] == [1, 2, 3, 4, 5, 7]
    outcome = whole.reports[-1]["outcome"]
    assert whole.reports[-1]["finished"]
    records = json.loads(outcome)["records"]
    assert len(records) == 2
    mean = np.mean([r["metrics"]["val_loss"] for r in records])
    assert whole.reports[-1]["val_loss"] == pytest.approx(mean, rel=1e-12)
    # In mid-fold, in mid-report, and between two folds.
    for at, in_report in ((2, False), (2, True), (3, False)):
        folder = tmp_path / f"{at}_{in_report}"
        killed = run(folder / "a", job, dies_at=at, in_report=in_report)
        if at == 3:
            # A backup of the fold before, which the checkpoint does not name.
            shutil.copyfile(
                folder / "a" / "2" / LATEST, os.path.join(killed.last, LATEST)
            )
        rest = run(folder / "b", job, start=killed.last)
        assert rest.reports[-1]["outcome"] == outcome
        reports = [*killed.reports, *rest.reports]
        assert reports == whole.reports


@pytest.mark.any_backend
def test_a_trial_that_was_killed_as_it_ended_ends_again(tmp_path):
    job = make_job(folds=ShuffleSplit(1, random_state=0))
    whole = run(tmp_path / "a", job)
    again = run(tmp_path / "b", job, start=whole.last)
    assert again.reports == whole.reports[-1:]


@pytest.mark.any_backend
def test_an_objective_that_is_not_finite_fails_the_trial(tmp_path):
    def build(hp):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", lambda y, p: keras.ops.mean(p - y) * np.nan)
        return model

    storage = run(tmp_path, make_job(build, callbacks=[]))
    last = storage.reports[-1]
    assert not last["finished"]
    # What schedulers compare is a number, and the worst.
    assert last["val_loss"] == 1e300
    assert len(json.loads(last["outcome"])["records"]) == 1


@pytest.mark.any_backend
def test_another_backend_is_refused(tmp_path):
    job = make_job(backend="another")
    with pytest.raises(RuntimeError, match="KERAS_BACKEND"):
        run(tmp_path, job)


traces = []


class Counted(keras.layers.Layer):
    """Notes each time that its code runs."""

    def call(self, x):
        traces.append(1)
        return x


def build_counted(hp):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "tanh"),
            Counted(),
            layers.Dropout(0.3, name="drop"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


@pytest.mark.any_training
def test_other_values_of_a_population_are_not_compiled_again(tmp_path):
    data = {"folds": ShuffleSplit(1, test_size=8, random_state=0)}
    job = make_job(build_counted, **data, callbacks=[], token="one")
    first = {"drop.rate": 0.3, "learning_rate": 0.01}
    others = {"drop.rate": 0.5, "learning_rate": 0.03}
    begun = run(tmp_path / "a", job, population=first, dies_at=1)
    before = len(traces)
    options = {"start": begun.last, "population": others}
    ended = run(tmp_path / "b", job, **options)
    if keras.backend.backend() != "torch":
        assert len(traces) == before
    outcome = json.loads(ended.reports[-1]["outcome"])
    assert outcome["path"] == [
        {"epoch": 1, **first},
        {"epoch": 2, **others},
        {"epoch": 3, **others},
    ]
    # A new model has the same scores, and goes another way without the values.
    job = make_job(build_counted, **data, callbacks=[], token="two")
    fresh = run(tmp_path / "c", job, **options)
    scores = [r["val_loss"] for r in ended.reports]
    assert [r["val_loss"] for r in fresh.reports] == pytest.approx(
        scores, rel=1e-6
    )
    job = make_job(build_counted, **data, callbacks=[], token="three")
    same = run(tmp_path / "d", job, start=begun.last, population=first)
    assert abs(same.reports[-1]["val_loss"] - scores[-1]) > 1e-4
