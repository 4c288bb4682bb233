"""A training on the disk, so that a killed one goes on."""

import json
import os
import zipfile

import keras
import numpy as np
from keras import ops

from keras_regopt._files import replaced

_FILE = "gradient_tuner.npz"


def save(directory, made_with, progress, arrays):
    """Writes a training, in one step.

    Args:
        directory: A folder, which is made.
        made_with: A dict of what a training must have in common with it.
        progress: A dict of plain values.
        arrays: A structure of tensors.
    """
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, _FILE)
    flat = [_plain(x) for x in keras.tree.flatten(arrays)]
    text = json.dumps({"made_with": made_with, "progress": progress})
    # With the ending that NumPy would add.
    with replaced(path, ".npz") as draft:
        np.savez(draft, *flat, text=np.array(text))


def load(directory, made_with, arrays):
    """Reads a training.

    Args:
        directory: The folder.
        made_with: As of `save`.
        arrays: A structure like the one that was saved.

    Returns:
        The progress and the structure, or `None` where there is no training.

    Raises:
        ValueError: If the file is damaged, or of another training.
    """
    path = os.path.join(directory, _FILE)
    if not os.path.exists(path):
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            text = json.loads(str(file["text"]))
            flat = [file[f"arr_{i}"] for i in range(len(file.files) - 1)]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is damaged ({error}). Delete it to begin again."
        ) from error
    before = text["made_with"]
    changed = [k for k in made_with if before.get(k) != made_with[k]]
    if changed:
        name = changed[0]
        raise ValueError(
            f"{path} is of a training with another `{name}`: "
            f"{before.get(name)!r}, now {made_with[name]!r}. Give another "
            "`directory`, or delete the file."
        )
    values = [
        ops.convert_to_tensor(
            value, dtype=keras.backend.standardize_dtype(like.dtype)
        )
        for value, like in zip(flat, keras.tree.flatten(arrays), strict=True)
    ]
    return text["progress"], keras.tree.pack_sequence_as(arrays, values)


def _plain(x):
    array = np.array(ops.convert_to_numpy(x))
    # Of half precision, NumPy's files know one kind alone.
    return array if array.dtype.kind in "fiub" else array.astype("float32")
