"""The trainings behind a curve: resumable, in one process or several."""

import concurrent.futures
import contextlib
import hashlib
import multiprocessing
import os
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_regopt._validate import fail
from keras_regopt.tuning._callbacks import fold_callbacks
from keras_regopt.tuning._data import take_rows
from keras_regopt.tuning._lock import alone
from keras_regopt.tuning._made_with import warn_of_other_code
from keras_regopt.tuning._state import (
    read_json,
    require_same,
    unusable,
    write_json,
)

# Changed when the files of a project can no longer be read.
_WRITER = "keras_regopt.curve/1"


class Plan(NamedTuple):
    """What all trainings of a curve have in common.

    Attributes:
        owner: The name of the function to name in errors.
        build: Function of the run's arguments that returns a compiled model.
        data: A tuple of `x`, `y` and `sample_weight`.
        callbacks: List of Keras callbacks.
        options: More arguments of `Model.fit`.
        seed: The seed of the curve.
    """

    owner: str
    build: Callable[..., keras.Model]
    data: tuple
    callbacks: list
    options: dict[str, Any]
    seed: int


class Run(NamedTuple):
    """One training.

    Attributes:
        key: Its name in the file of the results.
        point: What it is one of: a size or a value, in words.
        fold: The fold, from 0.
        arguments: The arguments of `build`.
        train: The numbers of the training rows.
        dev: The numbers of the dev rows.
        epochs: How many epochs to train.
    """

    key: str
    point: str
    fold: int
    arguments: dict[str, Any]
    train: np.ndarray
    dev: np.ndarray
    epochs: int


def train(plan, run):
    """Trains a model, and evaluates it on the data of training and dev.

    Returns:
        A dict of `"train"` and `"dev"`, each a dict of metrics.
    """
    keras.backend.clear_session(free_memory=False)
    seed = hashlib.sha256(f"{plan.seed}/{run.key}".encode()).hexdigest()[:8]
    keras.utils.set_random_seed(int(seed, 16))
    model = plan.build(**run.arguments)
    if not isinstance(model, keras.Model) or not model.compiled:
        allowed = "a function that returns a compiled model"
        fail(plan.owner, "build", allowed, model)
    parts = {
        name: [take_rows(array, rows) for array in plan.data]
        for name, rows in (("train", run.train), ("dev", run.dev))
    }
    x, y, weight = parts["train"]
    options = {"verbose": 0, **plan.options, "epochs": run.epochs}
    options["callbacks"] = fold_callbacks(plan.callbacks, run.point, run.fold)
    model.fit(x, y, sample_weight=weight, **options)
    batch_size = plan.options.get("batch_size")
    return {
        name: _metrics(model, arrays, batch_size)
        for name, arrays in parts.items()
    }


def _metrics(model, arrays, batch_size):
    """The metrics of a model on inputs, targets and weights, as floats."""
    x, y, weight = arrays
    found = model.evaluate(
        x,
        y,
        sample_weight=weight,
        batch_size=batch_size,
        return_dict=True,
        verbose=0,
    )
    return {name: float(value) for name, value in found.items()}


class Records:
    """The results of finished trainings, in a file.

    Args:
        folder: The project's folder, or `None`, which keeps no file.
        made_with: Dict of names and plain values that the results depend on.
        code: Dict of names and hashes of functions.
        overwrite: Whether to begin again.

    Raises:
        ValueError: If the project was begun with other values.
        RuntimeError: If the file is damaged or of something else.
    """

    def __init__(self, folder, made_with, code, overwrite):
        self.runs: dict[str, dict] = {}
        self._path = folder and os.path.join(folder, "curve.json")
        begun = folder and os.path.exists(self._path)
        if begun and overwrite:
            os.remove(self._path)
        elif begun:
            content = read_json(self._path)
            if content.get("writer") != _WRITER:
                raise unusable(self._path, "is of another version or program")
            require_same(folder, content["made_with"], made_with)
            warn_of_other_code(folder, content["code"], code)
            self.runs = content["runs"]
            code = {**code, **content["code"]}
        self._head = {"writer": _WRITER, "made_with": made_with, "code": code}

    def add(self, key, result):
        """Saves one more result, in one step."""
        self.runs[key] = result
        if self._path:
            write_json(self._path, {**self._head, "runs": self.runs})


def run_all(plan, runs, folder, made_with, code, processes, options):
    """Trains what is not yet trained.

    Args:
        plan: The `Plan`.
        runs: List of `Run`.
        folder: The project's folder, which is made if it is missing, or `None`.
        made_with: As for `Records`.
        code: As for `Records`.
        processes: How many trainings run at the same time.
        options: Dict of `"overwrite"` and `"verbose"`.

    Returns:
        A list of one dict of `"train"` and `"dev"` for each run.
    """
    if folder:
        os.makedirs(folder, exist_ok=True)
    with alone(folder) if folder else contextlib.nullcontext():
        records = Records(folder, made_with, code, options["overwrite"])
        left = [run for run in runs if run.key not in records.runs]
        if options["verbose"] and len(left) < len(runs):
            print(f"{len(runs) - len(left)} of {len(runs)} trainings are done.")
        side_by_side = processes > 1 and len(left) > 1
        trained = (
            _side_by_side(plan, left, processes)
            if side_by_side
            else ((run, train(plan, run)) for run in left)
        )
        for number, (run, result) in enumerate(trained, 1):
            records.add(run.key, result)
            if options["verbose"]:
                print(
                    f"Training {number} of {len(left)}: {_shown(run, result)}"
                )
    return [records.runs[run.key] for run in runs]


def _shown(run, result):
    loss = ", ".join(f"{part} {result[part]['loss']:.4g}" for part in result)
    return f"{run.point}, fold {run.fold + 1}, loss of {loss}"


def _side_by_side(plan, runs, processes):
    """Pairs of a run and its result, as they come from several processes."""
    try:
        pickle.dumps((plan.build, plan.callbacks, plan.options))
    except Exception as error:
        remedy = (
            "Other processes import what they run: define `build` at the top "
            f"of a module. ({type(error).__name__}: {error})"
        )
        fail(plan.owner, "processes", "1 for this `build`", processes, remedy)
    with _same_backend():
        pool = concurrent.futures.ProcessPoolExecutor(
            min(processes, len(runs)),
            # A fork would copy the locks of the backend's threads.
            multiprocessing.get_context("spawn"),
            _begin,
            (plan, _settings()),
        )
        try:
            futures = {pool.submit(_train_here, run): run for run in runs}
            for future in concurrent.futures.as_completed(futures):
                yield futures[future], future.result()
        except concurrent.futures.process.BrokenProcessPool as error:
            raise RuntimeError(
                f"A process of {plan.owner} ended early. A program that "
                "uses `processes` runs under `if __name__ == '__main__':`, and "
                "`build` must stand in a module that can be imported, not in a "
                "notebook's cell. Or pass `processes=1`."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _same_backend():
    """Context in which new processes take this one's backend."""
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = keras.backend.backend()
    try:
        yield
    finally:
        os.environ.pop("KERAS_BACKEND")
        if before is not None:
            os.environ["KERAS_BACKEND"] = before


def _settings():
    """What a user may have set in this process."""
    return {
        "set_floatx": keras.config.floatx(),
        "set_dtype_policy": keras.config.dtype_policy().name,
        "set_image_data_format": keras.config.image_data_format(),
    }


_plan: list[Plan] = []


def _begin(plan, settings):
    """Prepares a new process."""
    for name, value in settings.items():
        getattr(keras.config, name)(value)
    _plan[:] = [plan]


def _train_here(run):
    """Trains in a process that `_begin` has prepared."""
    return train(_plan[0], run)


def check_build(owner, build):
    """Refuses what is no function."""
    if not callable(build) or isinstance(build, (keras.Model, str)):
        fail(owner, "build", "a function that returns a compiled model", build)
