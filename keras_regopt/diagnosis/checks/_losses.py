"""What kind of loss a model was compiled with."""

import re
from typing import NamedTuple

import keras
import numpy as np

_KINDS = {
    "sparse_categorical_crossentropy": "sparse",
    "categorical_crossentropy": "categorical",
    "categorical_focal_crossentropy": "categorical",
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "mean_squared_error": "regression",
    "mean_absolute_error": "regression",
    "huber": "regression",
    "log_cosh": "regression",
}


class LossKind(NamedTuple):
    """A loss by its snake_case name; see `CheckCase.loss`."""

    name: str
    kind: str | None
    from_logits: bool


def loss_of(model):
    """The `LossKind` of a model."""
    loss = model.loss
    while isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    if isinstance(loss, dict) and len(loss) == 1:
        loss = next(iter(loss.values()))
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if isinstance(loss, keras.Loss):
        config = loss.get_config()
        config = {**config, **config.get("fn_kwargs", {})}
        name = re.sub("(?<=[a-z0-9])([A-Z])", r"_\1", type(loss).__name__)
        from_logits = bool(config.get("from_logits", False))
        return LossKind(name.lower(), _KINDS.get(name.lower()), from_logits)
    name = getattr(loss, "__name__", "")
    return LossKind(name, _KINDS.get(name), False)


def constant_loss(case, rows=None):
    """The loss of the best constant, and of one that knows no frequencies.

    Args:
        case: A `CheckCase`.
        rows: Which rows. Defaults to the case's.

    Returns:
        Two floats, or `None` for a loss of another kind.
    """
    rows = case.rows if rows is None else rows
    if case.loss.kind == "regression":
        y = case.target[rows].astype("float64")
        if case.loss.name == "mean_squared_error":
            best = float(np.var(y, axis=0).mean())
        else:
            best = float(np.abs(y - np.median(y, axis=0)).mean())
        return best, best
    if case.loss.kind is None or "focal" in case.loss.name:
        return None
    if case.loss.kind == "binary":
        y = case.target[rows].astype("float64").reshape(len(rows), -1)
        p = np.clip(y.mean(axis=0), 1e-12, 1 - 1e-12)
        entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p))
        return float(entropy.mean()), float(np.log(2))
    labels = case.labels()[rows]
    shares = np.bincount(labels - labels.min()) / len(labels)
    shares = shares[shares > 0]
    classes = case.model.output_shape[-1]
    return float(-(shares * np.log(shares)).sum()), float(np.log(classes))
