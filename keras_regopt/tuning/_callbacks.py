"""Fresh callbacks for every model that a search trains."""

import copy
import os

import keras

from keras_regopt._validate import fail, instance_of
from keras_regopt.callbacks import FaultTolerant
from keras_regopt.tuning._keras_tuner import TunerCallback

# Where the callbacks of Keras and of this package write files, and folders.
_FILES = ("filepath", "filename", "report")
_FOLDERS = ("log_dir",)


class FoldCallback(TunerCallback):
    """Follows the training of a fold, and tells others which one it is.

    Args:
        tuner: The tuner.
        trial: The `Trial`.
        fold: The fold, from 0.
    """

    def __init__(self, tuner, trial, fold):
        super().__init__(tuner, trial)
        self.fold = fold


def check_callbacks(owner, callbacks):
    """Refuses callbacks that cannot serve several trainings."""
    allowed = "a list of Keras callbacks"
    instance_of(owner, "callbacks", callbacks, (list, tuple), allowed)
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            remedy = (
                "It would go on with the backup of another fold. Finished "
                "folds are kept without it; for long ones, give "
                "`keras_regopt.callbacks.FaultTolerant`."
            )
            allowed = "without BackupAndRestore"
            fail(owner, "callbacks", allowed, callback, remedy)
    copy_callbacks(callbacks)


def fold_callbacks(callbacks, trial_id, fold, attempt=0):
    """Copies of callbacks that write into a folder of their own.

    Args:
        callbacks: List of Keras callbacks.
        trial_id: The trial's name.
        fold: The fold, from 0, or `"all"`.
        attempt: How many times the trial has failed. Defaults to `0`.

    Returns:
        A list.
    """
    again = f"_attempt_{attempt}" if attempt else ""
    folder = os.path.join(f"trial_{trial_id}", f"fold_{fold}{again}")
    copies = copy_callbacks(callbacks)
    _give_own_places(copies, folder)
    return copies


def copy_callbacks(callbacks):
    """Deep copies of callbacks.

    Args:
        callbacks: List of Keras callbacks.

    Returns:
        A list of the copies; an object of several callbacks is copied once.

    Raises:
        ValueError: If one cannot be copied.
    """
    copies = []
    memo: dict = {}
    for callback in callbacks:
        try:
            copies.append(copy.deepcopy(callback, memo))
        except Exception as error:
            raise ValueError(
                "Every callback given to search() must allow a deep copy, "
                "since each fold needs a fresh one. Received: "
                f"{callback!r}, whose copy failed: {error}. Build it in "
                "`HyperModel.fit` instead."
            ) from error
    return copies


def _give_own_places(callbacks, folder):
    """Lets callbacks write below their folder, each model elsewhere."""
    for callback in callbacks:
        if isinstance(callback, FaultTolerant):
            _move_backups(callback, folder)
            continue
        for name in _FILES:
            path = getattr(callback, name, None)
            if isinstance(path, (str, os.PathLike)):
                parent, file = os.path.split(os.fspath(path))
                parent = os.path.join(parent, folder)
                if "{" not in parent and "://" not in parent:
                    os.makedirs(parent, exist_ok=True)
                setattr(callback, name, os.path.join(parent, file))
        for name in _FOLDERS if not _is_moved_by_keras_tuner(callback) else ():
            path = getattr(callback, name, None)
            if isinstance(path, (str, os.PathLike)):
                setattr(callback, name, os.path.join(path, folder))


def _move_backups(callback, folder):
    # It makes an object of its folder.
    FaultTolerant.__init__(
        callback,
        callback.callbacks,
        os.path.join(callback.backup_dir, folder),
        callback.save_freq,
        callback.delete_checkpoint,
    )


def _is_moved_by_keras_tuner(callback):
    return (
        type(callback).__name__ == "TensorBoard"
        and keras.backend.backend() == "tensorflow"
    )


def without_validation(callbacks):
    """The callbacks that do not monitor a validation metric, as a list."""
    return [c for c in callbacks if not _monitors_validation(c)]


def _monitors_validation(callback):
    """Whether a callback monitors any validation metric."""
    monitor = getattr(callback, "monitor", None)
    names = monitor if isinstance(monitor, (list, dict)) else [monitor]
    return any(str(name).startswith("val_") for name in names)
