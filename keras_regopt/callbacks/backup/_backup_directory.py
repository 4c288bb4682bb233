"""A directory that always holds one whole backup, whatever happens."""

import contextlib
import os
import warnings

from keras_regopt._files import rename, written
from keras_regopt.callbacks.backup._backup_format import (
    UnreadableBackupError,
    read_backup,
    write_backup,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LATEST, PREVIOUS = "backup.zip", "previous.zip"
_UNFINISHED, _LOCK = "backup.tmp", "lock"


class BackupDirectory:
    """Writes, reads and removes the backups of one training.

    A backup is written under another name, flushed to the disk, and only then
    renamed, so that a file with the name of a backup is always whole. The one
    before it is kept.

    Args:
        path: The directory, which is made when it is needed.
    """

    def __init__(self, path):
        self.path = path
        self._lock = None

    def file(self, name):
        """The path of one of the files."""
        return os.path.join(self.path, name)

    def open(self):
        """Makes the directory and keeps other processes from it.

        Raises:
            OSError: If the directory cannot be made or written to.
            RuntimeError: If a training in another process uses it.
        """
        with self._explained("be used for backups"):
            os.makedirs(self.path, exist_ok=True)
            if self._lock is None:
                self._lock = os.open(
                    self.file(_LOCK), os.O_RDWR | os.O_CREAT, 0o644
                )
        if fcntl is None:
            return
        try:
            # Of this process alone: workers that it forks do not hold it.
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise RuntimeError(
                f"Another training is using {self.path!r}. Give every "
                "training a `backup_dir` of its own, or wait for its end."
            ) from None
        except OSError as error:
            warnings.warn(
                f"{self.path!r} cannot be locked ({error}). See to it that no "
                "other training uses it.",
                stacklevel=2,
            )

    def close(self):
        """Lets other processes in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write(self, content):
        """Replaces the latest backup, which becomes the previous one.

        Args:
            content: What `_backup_format` can write.

        Raises:
            OSError: If it cannot be written. The last backup is left whole.
        """
        latest, unfinished = self.file(LATEST), self.file(_UNFINISHED)
        with self._explained("take a new backup"):
            with written(unfinished), open(unfinished, "wb") as file:
                write_backup(file, content)
            # Between the two renames, the previous one is the last one.
            if os.path.exists(latest):
                rename(latest, self.file(PREVIOUS))
            rename(unfinished, latest)

    def read(self):
        """Reads the latest backup that is whole.

        Returns:
            The content, or `None` if there never was a backup.

        Raises:
            ValueError: If there are backups and none can be read.
        """
        problems = []
        for name in (LATEST, PREVIOUS):
            try:
                with open(self.file(name), "rb") as file:
                    content = read_backup(file)
            except FileNotFoundError:
                continue
            except UnreadableBackupError as error:
                problems.append(f"{self.file(name)!r} cannot be read: {error}.")
                continue
            if problems:
                warnings.warn(
                    f"{problems[0]} Training goes on from the backup before "
                    f"it, {self.file(name)!r}.",
                    stacklevel=2,
                )
            return content
        if problems:
            raise ValueError(
                f"There is no backup to go on from. {' '.join(problems)} To "
                f"start over, delete these files or take another `backup_dir`."
            )
        return None

    def remove(self):
        """Removes the backups, and the directory if nothing else is in it."""
        for name in (_UNFINISHED, PREVIOUS, LATEST, _LOCK):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.file(name))
        with contextlib.suppress(OSError):
            os.rmdir(self.path)

    @contextlib.contextmanager
    def _explained(self, purpose):
        try:
            yield
        except OSError as error:
            last = next(
                (
                    f"The last backup, {self.file(name)!r}, is whole."
                    for name in (LATEST, PREVIOUS)
                    if os.path.exists(self.file(name))
                ),
                "There is no backup yet.",
            )
            raise OSError(
                error.errno,
                f"{self.path!r} cannot {purpose}: {error.strerror or error}. "
                f"{last} See to its permissions and to the space on the "
                "disk, and run the script again.",
            ) from error
