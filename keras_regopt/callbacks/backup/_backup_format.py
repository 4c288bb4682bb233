"""The file format of a backup.

A zip file with one JSON document and the bytes of the arrays. Zip
keeps a CRC-32 of every entry, which is checked when it is read, and its table
of contents at the end, without which a truncated file is not opened.
"""

import json
import zipfile

import ml_dtypes
import numpy as np

FORMAT = "keras_regopt.FaultTolerant"
VERSION = 1

_DOCUMENT = "backup.json"
_ARRAY, _DICT = "__array__", "__dict__"


class UnreadableBackupError(ValueError):
    """A file that is no whole backup."""


def write_backup(file, content):
    """Writes a backup.

    Args:
        file: An open binary file.
        content: Numbers, strings, `None`, NumPy arrays, and lists, tuples and
            dicts of these. Tuples come back as lists.

    Raises:
        TypeError: If there is anything else in it.
    """
    arrays: list[np.ndarray] = []
    document = {
        "format": FORMAT,
        "version": VERSION,
        "content": _to_json(content, arrays, "the backup"),
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_DOCUMENT, json.dumps(document))
        for index, array in enumerate(arrays):
            # A length that is not known beforehand would be limited to 2 GiB.
            with archive.open(_entry(index), "w", force_zip64=True) as entry:
                entry.write(np.ascontiguousarray(array).reshape(-1).view("u1"))


def read_backup(file):
    """Reads what `write_backup` wrote.

    Args:
        file: An open binary file.

    Returns:
        The content.

    Raises:
        UnreadableBackupError: If the file is empty, truncated, damaged or
            foreign, or of a later version.
    """
    if not file.read(1):
        raise UnreadableBackupError("it is empty")
    try:
        with zipfile.ZipFile(file) as archive:
            if _DOCUMENT not in archive.namelist():
                raise UnreadableBackupError("it is a foreign zip file")
            document = json.loads(archive.read(_DOCUMENT))
            if document.get("format") != FORMAT:
                raise UnreadableBackupError("it is a foreign zip file")
            if document["version"] > VERSION:
                raise UnreadableBackupError(
                    "a later version of keras_regopt has written it"
                )
            return _from_json(document["content"], archive)
    except zipfile.BadZipFile as error:
        raise UnreadableBackupError(
            f"it is truncated, damaged or foreign ({error})"
        ) from error
    except (KeyError, ValueError, EOFError, NotImplementedError) as error:
        if isinstance(error, UnreadableBackupError):
            raise
        raise UnreadableBackupError(f"it is damaged ({error})") from error


def _to_json(value, arrays, where):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"{where} is an array of objects: {value!r}")
        arrays.append(value)
        return {
            _ARRAY: len(arrays) - 1,
            "dtype": value.dtype.name,
            "shape": list(value.shape),
        }
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, dict):
        # Pairs, since the keys of JSON are strings.
        return {
            _DICT: [
                [_key(k, where), _to_json(v, arrays, f"{where}[{k!r}]")]
                for k, v in value.items()
            ]
        }
    if isinstance(value, (list, tuple)):
        return [
            _to_json(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)
        ]
    raise TypeError(
        f"{where} is a {type(value).__name__}: {value!r}. A backup holds "
        "numbers, strings, None, NumPy arrays, and lists and dicts of these."
    )


def _key(key, where):
    if isinstance(key, (str, int, float, bool)):
        return key
    raise TypeError(
        f"A key of {where} is a {type(key).__name__}: {key!r}. The keys of a "
        "backup are strings and numbers."
    )


def _from_json(value, archive):
    if isinstance(value, list):
        return [_from_json(v, archive) for v in value]
    if not isinstance(value, dict):
        return value
    if _DICT in value:
        return {k: _from_json(v, archive) for k, v in value[_DICT]}
    name = value["dtype"]
    # NumPy does not know the names of the small floats.
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    array = np.frombuffer(archive.read(_entry(value[_ARRAY])), dtype)
    return array.reshape(value["shape"]).copy()


def _entry(index):
    return f"arrays/{index}"
