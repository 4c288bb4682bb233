"""Fresh callbacks for every model that a search trains."""

import copy


def copy_callbacks(callbacks):
    """Deep copies of callbacks.

    Args:
        callbacks: List of Keras callbacks.

    Returns:
        A list of the copies; an object of several callbacks is copied once.

    Raises:
        ValueError: If one cannot be copied.
    """
    copies = []
    memo: dict = {}
    for callback in callbacks:
        try:
            copies.append(copy.deepcopy(callback, memo))
        except Exception as error:
            raise ValueError(
                "Every callback given to search() must allow a deep copy, "
                "since each fold needs a fresh one. Received: "
                f"{callback!r}, whose copy failed: {error}. Build it in "
                "`HyperModel.fit` instead."
            ) from error
    return copies


def without_validation(callbacks):
    """The callbacks that do not monitor a validation metric, as a list."""
    return [c for c in callbacks if not _monitors_validation(c)]


def _monitors_validation(callback):
    """Whether a callback monitors any validation metric."""
    monitor = getattr(callback, "monitor", None)
    names = monitor if isinstance(monitor, (list, dict)) else [monitor]
    return any(str(name).startswith("val_") for name in names)
