"""Base of the callbacks that add values to the logs of each epoch."""

import os

from keras_regopt._event_file import EventFile
from keras_regopt._types import Path
from keras_regopt._validate import instance_of
from keras_regopt.callbacks._base import Callback


class Logger(Callback):
    """Base of the loggers: a subclass writes `measure`.

    The values come into the logs of the epoch, from where the history and
    every later callback take them, and into a file for TensorBoard.

    Args:
        log_dir: Optional folder for TensorBoard; `None` writes nothing.
    """

    def __init__(self, log_dir: Path | None = None):
        super().__init__()
        instance_of(
            self,
            "log_dir",
            log_dir,
            (str, os.PathLike, type(None)),
            "a path, or None",
        )
        self.log_dir = None if log_dir is None else os.fspath(log_dir)
        self._file = None

    def measure(self, logs):
        """The values of an epoch that has just ended.

        Args:
            logs: The logs of the epoch.

        Returns:
            A dict of names and Python floats.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `measure(self, logs)`."
        )

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self.log_dir is not None:
            self._file = EventFile(self.log_dir)

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        values = self.measure(logs)
        logs.update(values)
        if self._file is not None:
            self._file.write_scalars(epoch, values)
