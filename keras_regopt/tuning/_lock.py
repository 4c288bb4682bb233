"""A lock that lets one process at a time search in a project."""

import contextlib
import errno
import os
import socket
import warnings

try:
    import fcntl
except ImportError:
    # On Windows.
    fcntl = None  # type: ignore[assignment]

_FILE = "search.lock"
# A process that opens a file twice would lose its lock on it.
_held: set[str] = set()


@contextlib.contextmanager
def alone(folder):
    """Context in which no other process searches in a project.

    The file names the process. The system takes the lock back when that
    process is gone, so a killed search stands in nobody's way.

    Args:
        folder: The project's folder.

    Raises:
        RuntimeError: If another search holds the lock.
    """
    path = os.path.realpath(os.path.join(folder, _FILE))
    if path in _held:
        raise _in_use(folder, f"this process, {os.getpid()}")
    with open(path, "a+", encoding="utf-8") as file:
        if not _lock(file):
            file.seek(0)
            raise _in_use(folder, f"process {file.read().strip()}")
        file.truncate(0)
        file.write(f"{os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            with contextlib.suppress(OSError):
                file.truncate(0)


def _lock(file):
    """Locks a file until it is closed; whether no other process has."""
    if fcntl is None:
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        warnings.warn(
            f"The file system cannot lock {file.name} ({error}). Take care "
            "that no second process searches in this project.",
            stacklevel=2,
        )
    return True


def _in_use(folder, holder):
    return RuntimeError(
        f"The project {folder} is in use by {holder}. Wait for that search "
        "to end, or give another `project_name`."
    )
