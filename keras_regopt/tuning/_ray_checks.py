"""Checks of the arguments of a search with Ray."""

import os
import shutil

import keras
import keras_tuner

from keras_regopt._validate import boolean, fail, instance_of, integer
from keras_regopt.callbacks import FaultTolerant
from keras_regopt.callbacks.backup._adapters import guarded_callbacks
from keras_regopt.tuning._callbacks import check_callbacks
from keras_regopt.tuning._checks import check_hypermodel, check_split
from keras_regopt.tuning._given_split import split_data
from keras_regopt.tuning.pruning_callback import PruningCallback
from keras_regopt.tuning.random_oracle import RandomOracle
from keras_regopt.tuning.tunable_fit import TunableFit


def checked_hypermodel(owner, hypermodel):
    """A `HyperModel`, also of a function."""
    check_hypermodel(owner, hypermodel)
    if isinstance(hypermodel, keras_tuner.HyperModel):
        return hypermodel
    return TunableFit(hypermodel)


def checked_objective(owner, objective):
    """An `Objective` of which the direction is known."""
    made = RandomOracle(objective, 1).objective
    if getattr(made, "direction", None) not in ("min", "max"):
        allowed = "an objective that is to 'min' or 'max'"
        fail(owner, "objective", allowed, objective)
    return made


def checked_data(owner, data, groups, validation_data, fit_kwargs):
    """The folds; arrays alone can go to other machines."""
    allowed = "a tuple of inputs, targets and, if wanted, sample weights"
    if not isinstance(data, (tuple, list)) or not 1 <= len(data) <= 3:
        fail(owner, "data", allowed, type(data).__name__)
    for name, value in (("data", data), ("validation_data", validation_data)):
        for part in value if isinstance(value, (tuple, list)) else [value]:
            if not _is_arrays(part):
                remedy = "A dataset cannot be sent to other processes."
                fail(owner, name, "of arrays", type(part).__name__, remedy)
    check_split(owner, validation_data, fit_kwargs)
    x, y, weight = (*data, None, None)[:3]
    return split_data(owner, x, y, weight, groups, validation_data)


def _is_arrays(part):
    return part is None or all(
        hasattr(leaf, "__array__") for leaf in keras.tree.flatten(part)
    )


def checked_callbacks(owner, callbacks):
    """Callbacks whose trainings can go on; no other can be given."""
    check_callbacks(owner, callbacks)
    for callback in callbacks:
        if isinstance(callback, (FaultTolerant, PruningCallback)):
            allowed = "without FaultTolerant and PruningCallback"
            remedy = "Ray saves the trials, and its scheduler ends them."
            fail(owner, "callbacks", allowed, callback, remedy)
    guarded_callbacks(owner, callbacks)
    return list(callbacks)


def checked_settings(owner, resources, max_failures, max_concurrent):
    """How Ray runs the trials, as a dict."""
    resources = {"cpu": 1} if resources is None else resources
    instance_of(owner, "resources", resources, dict, "a dict")
    return {
        "resources": resources,
        "max_failures": integer(owner, "max_failures", max_failures, low=0),
        "max_concurrent": integer(
            owner, "max_concurrent", max_concurrent, low=1, optional=True
        ),
    }


def checked_folder(owner, storage_path, project_name, overwrite):
    """The folder of the project, made and perhaps emptied."""
    storage_path = os.fspath(storage_path)
    if "://" in storage_path:
        remedy = "On a cluster, one that all machines have mounted."
        fail(owner, "storage_path", "a folder", storage_path, remedy)
    folder = os.path.join(os.path.abspath(storage_path), project_name)
    if boolean(owner, "overwrite", overwrite):
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    return folder
