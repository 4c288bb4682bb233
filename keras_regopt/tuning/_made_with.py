"""What the results of a search depend on, in words that can be compared."""

import hashlib
import inspect
import warnings

import keras
import numpy as np

_PLAIN = (bool, int, float, str, type(None))
# Where files go changes no result, and often has the time in its name.
_PLACES = ("dir", "file", "folder", "path", "report")


def described(value):
    """What a value is, as text that is the same in every process.

    Args:
        value: An argument of `search`.

    Returns:
        A string, or `None` where nothing can be said of it.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, (list, tuple)):
        parts = [described(v) for v in value]
        return None if None in parts else f"[{', '.join(map(str, parts))}]"
    if isinstance(value, dict):
        items = {repr(k): described(v) for k, v in value.items()}
        if None in items.values():
            return None
        return f"{{{', '.join(f'{k}: {v}' for k, v in items.items())}}}"
    return _described_object(value)


def comparable(arguments, callbacks):
    """What can be compared of the arguments of a search.

    Args:
        arguments: Dict of the arguments of `Model.fit`.
        callbacks: List of Keras callbacks.

    Returns:
        A dict of plain values and texts.
    """
    known = {
        name: value if isinstance(value, _PLAIN) else described(value)
        for name, value in arguments.items()
    }
    known["callbacks"] = ", ".join(
        filter(None, map(_described_object, callbacks))
    )
    return {name: value for name, value in known.items() if value is not None}


def codes(hypermodel, callbacks):
    """Hashes of the code that a search runs.

    Args:
        hypermodel: A `HyperModel`, or a function that builds a model.
        callbacks: List of Keras callbacks.

    Returns:
        A dict of names and hashes; without what has no source.
    """
    things = [_builder(hypermodel)]
    things += [type(c) for c in callbacks if not _is_from("keras", c)]
    found = {thing.__qualname__: _source_hash(thing) for thing in things}
    return {name: code for name, code in found.items() if code}


def warn_of_other_code(folder, before, now):
    """Warns if code has changed since a project began.

    Args:
        folder: The project's folder.
        before: What `codes` returned then.
        now: What it returns now.
    """
    changed = [n for n in sorted(now) if before.get(n, now[n]) != now[n]]
    if changed:
        warnings.warn(
            f"The code of {' and '.join(f'`{n}`' for n in changed)} has "
            f"changed since the project in {folder} began. Its finished trials "
            "were made by the old code, and are not run again. To start a new "
            "search, give another `project_name` or pass `overwrite=True`.",
            stacklevel=4,
        )


def _builder(hypermodel):
    """The function or the class whose code makes the models."""
    # Keras Tuner wraps a function.
    function = getattr(hypermodel, "build", hypermodel)
    return function if inspect.isfunction(function) else type(hypermodel)


def _source_hash(thing):
    try:
        source = inspect.getsource(thing)
    except (OSError, TypeError):
        return None
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def warn_of_other_seed(folder, before, now):
    """Warns if the seed of a Keras Tuner oracle is not that of a project."""
    if before is not None and before != now:
        warnings.warn(
            f"The project in {folder} was begun with an oracle of seed "
            f"{before}, and goes on with it. Received: an oracle of seed "
            f"{now}. Keras Tuner draws one for an oracle that is given none: "
            "give it one.",
            stacklevel=2,
        )


def _described_object(value):
    """An object as the call that makes it, or `None`."""
    config = _config(value)
    if config is None:
        return None
    items = {
        name: described(value)
        for name, value in sorted(config.items())
        if not name.startswith("_")
        and not any(place in name for place in _PLACES)
    }
    shown = ", ".join(f"{k}={v}" for k, v in items.items() if v is not None)
    return f"{type(value).__name__}({shown})"


def _config(value):
    """The arguments of an object, as far as it tells them."""
    if callable(getattr(value, "get_config", None)):
        try:
            return value.get_config()
        except Exception:
            return None
    if _is_from("keras", value) and isinstance(value, keras.callbacks.Callback):
        # They have no configuration: what they keep is what they were given.
        return vars(value)
    return None


def _is_from(package, value):
    return type(value).__module__.partition(".")[0] == package
