"""Backups of the training of a fold, to go on from."""

import contextlib
import os
import shutil

import keras
from keras_tuner.errors import FatalValueError

from keras_regopt._files import replaced
from keras_regopt._keras import running_fit
from keras_regopt.callbacks import FaultTolerant
from keras_regopt.callbacks.backup._backup_directory import (
    LATEST,
    PREVIOUS,
    BackupDirectory,
)
from keras_regopt.tuning._keras_tuner import TunerCallback
from keras_regopt.tuning._state import unusable

# These have no state, or one that the backup has anyway.
_OTHERS = (
    TunerCallback,
    keras.callbacks.History,
    keras.callbacks.ProgbarLogger,
)


class FoldBackup(FaultTolerant):
    """Lets the training of a fold go on, after a kill or after a pause.

    A pause comes at the end of an epoch, once all callbacks have seen it, and
    leaves a backup of the begin of the next one. For the model and its
    callbacks, the length of the training stays what it is without a pause.

    Args:
        callbacks: All callbacks of the fold.
        backup_dir: Folder of the backups of the fold.
        save_freq: As for `FaultTolerant`.
        pause_after: Number of the epochs to pause after, or `None`.
        verbose: Whether to say where a training goes on.
    """

    def __init__(self, callbacks, backup_dir, save_freq, pause_after, verbose):
        super().__init__(callbacks, backup_dir, save_freq, False)
        self.pause_after = pause_after
        self.begun = self.paused = False
        self._verbose = verbose
        self._pause = _Pause(self)

    def on_train_begin(self, logs=None):
        if self.begun:
            raise FatalValueError(
                "Where trainings go on from backups, `HyperModel.fit` calls "
                "fit once. Received: a second call. Leave `save_freq` of the "
                "tuner at None."
            )
        super().on_train_begin(logs)
        _, in_fit = running_fit(self.model)
        if in_fit is None:
            return
        self.begun = True
        for callback in in_fit.callbacks:
            self._require_guarded(callback)
        in_fit.callbacks.append(self._pause)

    def pause(self, epoch):
        """Ends the training after an epoch, unless it ends there anyway."""
        epochs = epoch + 1
        ends = self.model.stop_training or epochs >= self.params["epochs"]
        if epochs != self.pause_after or ends:
            return
        # As Keras does before the next epoch.
        self.model.reset_metrics()
        # Apart, so that a training that is killed before its result is on the
        # disk gets to this pause again, and not past it.
        running = self._directory
        self._directory = BackupDirectory(paused_folder(self.backup_dir))
        os.makedirs(self._directory.path, exist_ok=True)
        self.save_begin_of(epochs)
        self._directory = running
        self.paused = True
        self.model.stop_training = True

    def announce(self, epoch, batch):
        if self._verbose:
            super().announce(epoch, batch)

    def _require_guarded(self, callback):
        known = callback is self or isinstance(callback, _OTHERS)
        ours = type(callback).__module__.startswith(FaultTolerant.__module__)
        # Keras Tuner adds one for TensorBoard.
        plugin = type(callback).__module__.startswith("tensorboard.")
        if known or ours or plugin:
            return
        if not any(callback is guarded for guarded in self.callbacks):
            raise FatalValueError(
                "Where trainings go on from backups, all callbacks must be "
                "given to search(), so that their states are saved. Received: "
                f"{callback!r} from `HyperModel.fit`. Give it to search(), or "
                "leave `save_freq` of the tuner at None."
            )


class _Pause(keras.callbacks.Callback):
    """Stands last in the list, behind the history."""

    def __init__(self, backup):
        super().__init__()
        self._backup = backup

    def on_epoch_end(self, epoch, logs=None):
        self._backup.pause(epoch)


def paused_folder(folder):
    """The folder of the backup of a pause, within that of the others."""
    return os.path.join(folder, "paused")


def remove_all_but_pause(folder):
    """Removes what a paused training does not go on from."""
    for name in (LATEST, PREVIOUS):
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(folder, name))


def take_over(source, target):
    """Begins a folder of backups with the last backup of another one.

    Args:
        source: The folder of the backups of a paused training.
        target: The folder of the one that goes on; one that has begun stays.

    Raises:
        RuntimeError: If there is no backup.
    """
    before = os.path.join(paused_folder(source), LATEST)
    now = os.path.join(target, LATEST)
    if os.path.exists(now):
        return
    if not os.path.exists(before):
        raise unusable(before, "is missing")
    os.makedirs(target, exist_ok=True)
    with replaced(now) as draft:
        shutil.copyfile(before, draft)
