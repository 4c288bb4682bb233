"""The state of a monitor in one file, without pickled objects."""

import json
import os
import zipfile

import numpy as np

from keras_regopt._files import replaced

# Changed when the files can no longer be read.
_WRITER = "keras_regopt.Monitor/1"


def save(path, plain, arrays):
    """Writes a state in one step.

    Args:
        path: The file.
        plain: A dict that `json.dumps` accepts.
        arrays: A dict of arrays of numbers or strings.
    """
    text = json.dumps({"writer": _WRITER, **plain})
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    with replaced(path, ".npz") as draft:
        np.savez_compressed(draft, plain=np.array(text), **arrays)


def load(path):
    """What was given to `save`.

    Raises:
        RuntimeError: If the file is damaged or of something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        plain = json.loads(str(arrays.pop("plain")))
        if plain["writer"] != _WRITER:
            raise KeyError("writer")
    except (
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise RuntimeError(
            f"{os.fspath(path)} does not hold the state of a Monitor "
            f"({type(error).__name__}: {error}). Restore the file, or make a "
            "monitor from the reference again."
        ) from error
    return plain, arrays
