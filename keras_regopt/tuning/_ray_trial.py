"""One trial of a search, as a worker of Ray runs it."""

import dataclasses
import hashlib
import json
import math
import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner

from keras_regopt.callbacks.backup._backup_directory import LATEST
from keras_regopt.tuning._callbacks import fold_callbacks
from keras_regopt.tuning._fold_backup import FoldBackup
from keras_regopt.tuning._population import PopulationValues
from keras_regopt.tuning._scores import fold_record
from keras_regopt.tuning._state import read_json, write_json

STATE = "trial.json"
# A number of batches: backups are made where they are reported.
_NEVER = 10**15
# Stands for a value that is not finite, with which no scheduler can compare.
_WORST = 1e300
# The model of the last fit of this process, and what tells it from others.
_kept: dict[str, keras.Model] = {}


@dataclasses.dataclass
class Job:
    """What the trials of a search have in common.

    Args:
        hypermodel: A `keras_tuner.HyperModel`.
        space: The `HyperParameters` that the values are of.
        data: The folds.
        callbacks: Keras callbacks, which are copied.
        epochs: Epochs of a fold.
        fit_kwargs: More arguments of `HyperModel.fit`.
        objective: The `keras_tuner.Objective`.
        seed: Seed of all training.
        backend: Keras' backend.
        token: Text that no other search has.
    """

    hypermodel: keras_tuner.HyperModel
    space: keras_tuner.HyperParameters
    data: Any
    callbacks: Sequence[keras.callbacks.Callback]
    epochs: int
    fit_kwargs: dict[str, Any]
    objective: Any
    seed: int
    backend: str
    token: str = ""

    @property
    def last_epoch(self):
        """What counts as the epoch of the last report of a trial."""
        return len(self.data) * self.epochs + 1


def run_trial(
    job: Job,
    trial: dict[str, Any],
    start: str | None,
    report: Callable[[dict[str, Any], str], None],
):
    """Trains and scores one model a fold.

    Args:
        job: What is common to all trials.
        trial: Dict of `"number"`, `"values"`, `"population"` and, where it
            differs from the number, `"name"`.
        start: Folder of the checkpoint to go on from, or `None`.
        report: Function of a dict of metrics and of a folder, the checkpoint,
            which is called after each epoch.

    Raises:
        RuntimeError: If this process has another backend.
    """
    if keras.backend.backend() != job.backend:
        raise RuntimeError(
            f"The search was started with the backend {job.backend!r}, and "
            f"this worker of Ray has {keras.backend.backend()!r}. Set "
            "KERAS_BACKEND on all machines, or in Ray's `runtime_env`."
        )
    run = _Run(job, trial, start, report)
    while not run.ended():
        run.train_fold()
    run.report_end()


class _Run:
    """A trial that has got to some fold and epoch."""

    def __init__(self, job, trial, start, report):
        self.job, self.trial, self.report = job, trial, report
        self.hp = job.space.copy()
        self.hp.values = dict(trial["values"])
        state = {} if start is None else read_json(os.path.join(start, STATE))
        # Ray may write a checkpoint into the folder of one that it has lost.
        self.start = start if state.get("mid_fold") else None
        self.records = state.get("records", [])
        self.path = state.get("path", [])

    def ended(self):
        """Whether all folds are trained, or the last one has failed."""
        if self.records and not math.isfinite(self._scores()[-1]):
            return True
        return len(self.records) == len(self.job.data)

    def train_fold(self):
        """Trains the next fold, from its backup if there is one."""
        job, fold = self.job, len(self.records)
        with tempfile.TemporaryDirectory() as folder:
            goes_on = self._take_backup(folder)
            model = self._model(fold, goes_on)
            name = self.trial.get("name", self.trial["number"])
            callbacks = fold_callbacks(job.callbacks, name, fold)
            if self.trial["population"]:
                callbacks.append(PopulationValues(self.trial["population"]))
            backup = _ReportingBackup(callbacks, folder, self.report_epoch)
            arguments, keywords = job.data.fold(fold)
            try:
                result = job.hypermodel.fit(
                    self.hp,
                    model,
                    *arguments,
                    **{"verbose": 0, **keywords, **job.fit_kwargs},
                    epochs=job.epochs,
                    callbacks=[backup, *callbacks],
                )
            finally:
                # Ray ends trials by an exception in a report.
                backup.release()
        self.records.append(fold_record(result, job.objective))
        self._follow_path((fold + 1) * job.epochs)
        if not self.ended():
            self._report((fold + 1) * job.epochs, self._scores())

    def report_epoch(self, model, epoch, folder):
        """Reports an epoch of the running fold, counted from 0.

        Args:
            model: The model.
            epoch: The epoch.
            folder: The folder with the backup of the begin of the next one.
        """
        record = fold_record(model.history, self.job.objective)
        scores = [*self._scores(), self._score(record)]
        done = len(self.records) * self.job.epochs
        # `HyperModel.fit` may train for longer.
        done += min(epoch + 1, self.job.epochs)
        self._follow_path(done)
        self._report(done, scores, os.path.join(folder, LATEST))

    def report_end(self):
        """Reports the outcome of the trial."""
        outcome = {
            "records": self.records,
            "hyperparameters": self.hp.values,
            "path": self.path,
        }
        scores = self._scores()
        more = {
            "finished": math.isfinite(scores[-1]),
            "outcome": json.dumps(outcome),
        }
        self._report(self.job.last_epoch, scores, **more)

    def _report(self, epoch, scores, backup=None, **more):
        name, value = self.job.objective.name, statistics.fmean(scores)
        if not math.isfinite(value):
            value = -_WORST if self.job.objective.direction == "max" else _WORST
        with tempfile.TemporaryDirectory() as folder:
            state = {
                "records": self.records,
                "path": self.path,
                "mid_fold": backup is not None,
            }
            write_json(os.path.join(folder, STATE), state)
            if backup is not None:
                shutil.copyfile(backup, os.path.join(folder, LATEST))
            metrics = {name: value, "epoch": epoch, "finished": False, **more}
            self.report(metrics, folder)

    def _scores(self):
        return [self._score(record) for record in self.records]

    def _score(self, record):
        return record["metrics"][self.job.objective.name]

    def _follow_path(self, epoch):
        """Notes the values of the population at an epoch."""
        if self.trial["population"]:
            self.path.append({"epoch": epoch, **self.trial["population"]})

    def _take_backup(self, folder):
        """Copies the backup of the checkpoint; whether there is one."""
        start, self.start = self.start, None
        if start is None:
            return False
        latest = os.path.join(start, LATEST)
        shutil.copyfile(latest, os.path.join(folder, LATEST))
        return True

    def _model(self, fold, goes_on):
        """A model, or the last one, which a backup makes that of this trial."""
        # What a population changes stands in no build, and is set in training.
        key = json.dumps([self.job.token, fold, self.trial["values"]])
        if goes_on and key in _kept:
            return _kept[key]
        _kept.clear()
        keras.backend.clear_session(free_memory=fold == 0)
        keras.utils.set_random_seed(self._seed(fold))
        model = self.job.hypermodel.build(self.hp)
        if not isinstance(model, keras.Model):
            raise TypeError(
                "The function or the HyperModel that builds models must "
                f"return a Keras model. Received: {model!r}"
            )
        if self.trial["population"]:
            _kept[key] = model
        return model

    def _seed(self, fold):
        text = f"{self.job.seed}/{self.trial['number']}/{fold}"
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


class _ReportingBackup(FoldBackup):
    """Reports each epoch but the last, with a backup of the next one's begin.

    Args:
        callbacks: All callbacks of the fold.
        backup_dir: Folder of the backups.
        report_epoch: Function of the model, the epoch and the folder.
    """

    def __init__(self, callbacks, backup_dir, report_epoch):
        super().__init__(callbacks, backup_dir, _NEVER, None, False)
        self.report_epoch = report_epoch

    def pause(self, epoch):
        """Called after each epoch, once all callbacks have seen it."""
        if self.model.stop_training or epoch + 1 >= self.params["epochs"]:
            return
        # As Keras does before the next epoch.
        self.model.reset_metrics()
        self.save_begin_of(epoch + 1)
        self.report_epoch(self.model, epoch, self.backup_dir)

    def release(self):
        """Lets go of the folder."""
        self._directory.close()
