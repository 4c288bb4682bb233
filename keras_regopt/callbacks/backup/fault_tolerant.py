import os
import time
import warnings
from collections.abc import Sequence

import keras

from keras_regopt._keras import (
    print_msg,
    running_fit,
    set_first_epoch,
    validation_iterator,
)
from keras_regopt._registry import register
from keras_regopt._train_step import sync
from keras_regopt._types import Path
from keras_regopt._validate import boolean, fail, instance_of
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.backup._adapters import (
    adapter_of,
    guarded_callbacks,
    require_order,
)
from keras_regopt.callbacks.backup._backup_directory import BackupDirectory
from keras_regopt.callbacks.backup._data_position import DataPosition
from keras_regopt.callbacks.backup._data_sources import forgets_its_place
from keras_regopt.callbacks.backup._model_state import (
    build,
    history_state,
    model_state,
    set_history_state,
    set_model_state,
)
from keras_regopt.callbacks.backup._save_frequency import (
    save_frequency,
    seconds,
)


@register
class FaultTolerant(Callback):
    """Lets a training that was interrupted go on as if it had not been.

    Run the same script again: `fit` goes on from the last backup, in the
    middle of an epoch if need be. Losses, learning rates, the epoch that
    stops early and the final weights are those of a training that was never
    interrupted, bit for bit on a CPU. See `docs/callbacks.md` for what can
    and what cannot be repeated.

    It stands first in the list of callbacks, and those that it guards come
    after it:

    ```python
    guarded = [EarlyStopping(patience=5), keras.callbacks.CSVLogger("log.csv")]
    model.fit(..., callbacks=[FaultTolerant(guarded, "backup"), *guarded])
    ```

    A backup holds the weights, the optimizer with its learning rate, the
    metrics, the seed generators, the history, the position in the data, the
    random generators of Python, NumPy, torch and Keras, and the states of the
    guarded callbacks. It is one file, which replaces the one before it only
    once it is safely on the disk.

    Args:
        callbacks: The callbacks whose states are part of the backup: those
            with `state()` and `restore(state)`, as all of this package have,
            and Keras' own `EarlyStopping`, `ReduceLROnPlateau`,
            `ModelCheckpoint`, `CSVLogger`, `TensorBoard` and those without a
            state.
        backup_dir: Directory for the backup, of this training alone.
        save_freq: `"epoch"`; a number of batches, an integer >= 1; or a time,
            such as `"90s"`, `"10min"` or `"1h"`. There is always one before
            the first batch. Defaults to `"epoch"`.
        delete_checkpoint: Whether the backup is removed when the training has
            ended by itself. Otherwise, the script that is run again makes the
            end of the training again. Defaults to `True`.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the order
            of the callbacks is another, or if the backup is of another
            training or cannot be read.
        OSError: In `fit`, if a backup cannot be written. The last one is left
            whole.
        RuntimeError: In `fit`, if another training uses the directory.

    Examples:
        >>> import tempfile
        >>> stopper = keras.callbacks.EarlyStopping("loss")
        >>> tolerant = FaultTolerant([stopper], tempfile.mkdtemp())
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = keras.ops.ones((4, 1))
        >>> history = model.fit(
        ...     x, x, epochs=2, callbacks=[tolerant, stopper], verbose=0
        ... )
        >>> history.epoch
        [0, 1]
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        backup_dir: Path,
        save_freq: str | int = "epoch",
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        self.callbacks = guarded_callbacks(self, callbacks)
        instance_of(
            self, "backup_dir", backup_dir, (str, os.PathLike), "a path"
        )
        self.backup_dir = os.fspath(backup_dir)
        if not self.backup_dir:
            fail(self, "backup_dir", "a path", backup_dir)
        self.save_freq = save_frequency(self, save_freq)
        self.delete_checkpoint = boolean(
            self, "delete_checkpoint", delete_checkpoint
        )
        self._directory = BackupDirectory(self.backup_dir)
        self._at_the_end = _AtTheEnd(self._end)
        self._position = self._backup = None
        self._with_metrics = True
        self._resumed = False

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        iterator, in_fit = running_fit(self.model)
        self._position = None
        if iterator is None:
            return
        require_order(self, self.callbacks, in_fit.callbacks)
        self._directory.open()
        try:
            self._backup = self._directory.read()
            if self._backup is not None:
                self._prepare()
        except BaseException:
            self._directory.close()
            raise
        # The list may be one of the user's, which has served a fit before.
        if not any(c is self._at_the_end for c in in_fit.callbacks):
            in_fit.callbacks.append(self._at_the_end)
        self._position = DataPosition(iterator)
        self._epoch_iterator = iterator
        self._batches = 0
        self._saved_at = None
        self._resumed = self._backup is not None
        if self._position.obstacle:
            warnings.warn(
                "After an interruption, FaultTolerant cannot give this "
                "training the batches that it would have had. "
                f"{self._position.obstacle}",
                stacklevel=2,
            )

    def on_epoch_begin(self, epoch, logs=None):
        if self._position is None:
            raise RuntimeError(
                "FaultTolerant finds no data to follow. It works in the `fit` "
                "of Keras' models, not in a loop or a `fit` of your own."
            )
        self._epoch = epoch
        if self._saved_at is not None:
            self._position.begin_epoch(epoch)
            if self._is_due(begins_epoch=True):
                self._save(0)
            return
        self._build()
        self._saved_at = time.monotonic()
        if self._backup is None:
            self._position.begin_epoch(epoch)
            self._save(0)
        else:
            self._restore()

    def on_train_batch_begin(self, batch, logs=None):
        # Before a batch, since all callbacks have seen the last one by now.
        if batch and self._is_due():
            self._save(batch)
        self._batches += self.model.steps_per_execution

    def on_test_begin(self, logs=None):
        iterator = validation_iterator(self.model)
        if not self._resumed or iterator is None:
            return
        self._resumed = False
        if forgets_its_place(iterator):
            warnings.warn(
                "The validation data is a generator or a pipeline with "
                "randomness, which begins again after an interruption. Its "
                "figures are not those of a training without one.",
                stacklevel=2,
            )

    def _build(self):
        error = build(self, self.model, self._epoch_iterator)
        self._with_metrics = error is None
        if error is not None:
            warnings.warn(
                "FaultTolerant cannot make the metrics of this model before "
                f"its first batch ({error}). After an interruption, the "
                "figures of the running epoch are those of its remaining "
                "batches.",
                stacklevel=2,
            )

    def _end(self):
        """Called after the `on_train_end` of all callbacks."""
        self._position = self._epoch_iterator = None
        if self.delete_checkpoint:
            self._directory.remove()
        self._directory.close()

    def _is_due(self, begins_epoch=False):
        if self.save_freq == "epoch":
            return begins_epoch
        if isinstance(self.save_freq, int):
            return self._batches >= self.save_freq
        return time.monotonic() - self._saved_at >= seconds(self.save_freq)

    def _save(self, batch):
        sync(self.model)
        self._directory.write(
            {
                "backend": keras.backend.backend(),
                "epoch": self._epoch,
                "batch": batch,
                "model": model_state(self.model, self._with_metrics),
                "history": history_state(self._history()),
                "callbacks": [
                    [type(c).__name__, adapter_of(c).state(c)]
                    for c in self.callbacks
                ],
                "data": self._position.state(),
            }
        )
        self._batches = 0
        self._saved_at = time.monotonic()

    def _prepare(self):
        """Makes `fit` begin where the backup was made."""
        backup = self._backup
        self._require_the_same_training(backup)
        for callback, (_, state) in self._states(backup):
            adapter_of(callback).before_training(callback, state)
        set_first_epoch(self.model, backup["epoch"])

    def _restore(self):
        """Takes everything up again, after all callbacks have begun."""
        backup, self._backup = self._backup, None
        # A later `fit` shall begin where it is told to.
        set_first_epoch(self.model, None)
        set_model_state(self.model, backup["model"], self._with_metrics)
        set_history_state(self._history(), backup["history"])
        for callback, (_, state) in self._states(backup):
            adapter_of(callback).restore(callback, state)
        epoch, batch = backup["epoch"], backup["batch"]
        self.announce(epoch, batch)
        self._position.go_to(epoch, batch, backup["data"])

    def save_begin_of(self, epoch):
        """Makes a backup at the end of the epoch before."""
        self._epoch = epoch
        self._position.begin_epoch(epoch)
        self._save(0)

    def announce(self, epoch, batch):
        """Tells where the training goes on."""
        print_msg(
            f"\nFaultTolerant: training goes on with batch {batch + 1} of "
            f"epoch {epoch + 1}, from the backup in {self.backup_dir!r}."
        )

    def _history(self):
        return getattr(self.model, "history", None)

    def _states(self, backup):
        return zip(self.callbacks, backup["callbacks"], strict=True)

    def _require_the_same_training(self, backup):
        now = [type(callback).__name__ for callback in self.callbacks]
        before = [name for name, _ in backup["callbacks"]]
        remedy = (
            f"Run the training as it was, or take another `backup_dir` than "
            f"{self.backup_dir!r} to start over."
        )
        if before != now:
            raise ValueError(
                f"The backup is of a training that guarded the callbacks "
                f"{before}. Received: {now}. {remedy}"
            )
        if backup["backend"] != keras.backend.backend():
            raise ValueError(
                f"The backup was made on the backend {backup['backend']!r}, "
                f"and this is {keras.backend.backend()!r}. {remedy}"
            )
        epochs = self.params["epochs"]
        if backup["epoch"] >= epochs:
            raise ValueError(
                f"The backup was made in epoch {backup['epoch'] + 1}, and "
                f"`fit` shall end with epoch {epochs}. {remedy}"
            )


class _AtTheEnd(keras.callbacks.Callback):
    """Stands last in the list, behind those that work on at the end."""

    def __init__(self, end):
        super().__init__()
        self._end = end

    def on_train_end(self, logs=None):
        self._end()
