"""Files that are whole at every moment, whatever happens.

A file is written under another name, flushed to the disk, and only then
renamed: else a power cut could leave the new name on an empty file.
"""

import contextlib
import os
import uuid


@contextlib.contextmanager
def replaced(path, suffix=""):
    """Context that replaces a file, or makes it, in one step.

    Args:
        path: The file, in a folder that exists.
        suffix: How the path to write to ends. Defaults to `""`.

    Yields:
        The path to write to. After an error it is gone, and the file is what
        it was before.
    """
    folder, name = os.path.split(os.path.abspath(path))
    # In the same folder, since a rename must not cross file systems.
    draft = os.path.join(folder, f".{name}.{uuid.uuid4().hex}{suffix}")
    with written(draft):
        yield draft
    rename(draft, path)


@contextlib.contextmanager
def written(path):
    """Context in which a file is written that is then safely on the disk.

    Args:
        path: The file, which is removed after an error.
    """
    try:
        yield
        with open(path, "r+b") as file:
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(path)
        raise


def rename(path, new):
    """Renames a file, in place of another one, so that a power cut is survived.

    Args:
        path: The file.
        new: Its new path, in the same folder.
    """
    os.replace(path, new)
    if os.name != "posix":
        return
    folder = os.open(os.path.dirname(os.path.abspath(new)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
