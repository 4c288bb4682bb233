"""What a compiled model and the callbacks tell about a training."""

import math
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from keras_regopt._keras import all_layers, held_rate
from keras_regopt.diagnosis._metric_names import kind_of, plain_name

# Names of classes of layers that act in training alone, and hence raise the
# training error of the history.
_NOISY = (
    *("dropout", "dropconnect", "dropblock", "stochasticdepth", "noise"),
    *("random", "mixup", "cutmix", "augment", "zoneout", "erasing"),
    *("gridmask", "mosaic", "masking", "cutoff", "l0", "augmix"),
)


@dataclass(frozen=True)
class Facts:
    """What is known of a training besides its curves.

    Attributes:
        model: The model, or `None` if not known.
        outputs: The names of its outputs.
        losses: The kind of the loss of each output: `"ce"`, `"mse"`,
            `"mae"`, `"other"`, or `""` if not known.
        classes: Of each output, how many classes it tells apart, or 0.
        floors: Of each output, the lowest cross-entropy that label smoothing
            leaves.
        penalty: What penalties add to the loss now.
        noisy: Names of layers that act in training alone.
        taken: What is done already, as words that steps know.
        rate: The learning rate, or `None`.
    """

    model: Any = None
    outputs: tuple[str, ...] = ()
    losses: dict = field(default_factory=dict)
    classes: dict = field(default_factory=dict)
    floors: dict = field(default_factory=dict)
    penalty: float = 0.0
    noisy: tuple[str, ...] = ()
    taken: frozenset = frozenset()
    rate: float | None = None


def facts_of(model, callbacks=()):
    """The `Facts` of a model, or of none; what cannot be read is left out."""
    taken = set(_of_callbacks(callbacks))
    if not isinstance(model, keras.Model):
        return Facts(taken=frozenset(taken))
    layers = list(all_layers(model, include_self=False))
    noisy = sorted({type(layer).__name__ for layer in layers if _acts(layer)})
    taken |= _of_layers(layers, noisy) | _of_optimizer(model)
    names = tuple(getattr(model, "output_names", None) or ("output",))
    losses = _losses(model, names)
    classes = {n: _classes(model, i, losses[n]) for i, n in enumerate(names)}
    return Facts(
        model=model,
        outputs=names,
        losses={n: _kind(loss) for n, loss in losses.items()},
        classes=classes,
        floors={n: _floor(losses[n], classes[n]) for n in names},
        penalty=_penalty(model),
        noisy=tuple(noisy),
        taken=frozenset(taken),
        rate=_rate(model),
    )


def restores_best(callbacks):
    """The epoch, from 1, whose weights a callback restored, or `None`."""
    for callback in callbacks:
        if not getattr(callback, "restore_best_weights", False):
            continue
        best = getattr(callback, "best_epoch", None)
        if getattr(callback, "best_weights", None) is not None or best:
            return int(best or 0) + 1
    return None


def _acts(layer):
    name = type(layer).__name__.lower()
    if not any(word in name for word in _NOISY):
        return False
    if type(layer) is keras.layers.Masking:
        return False
    return getattr(layer, "rate", 1) != 0


def _of_layers(layers, noisy):
    taken = set()
    for name in map(str.lower, noisy):
        drops = ("drop", "depth", "zoneout", "l0")
        taken.add("drop" if any(d in name for d in drops) else "augment")
    for layer in layers:
        for kind in ("kernel", "activity", "bias"):
            if getattr(layer, f"{kind}_regularizer", None) is not None:
                taken.add("penalize")
        if "normalization" in type(layer).__name__.lower():
            taken.add("normalize")
    return taken


def _of_optimizer(model):
    optimizer = getattr(model, "optimizer", None)
    taken = set()
    seen = 0
    while optimizer is not None and seen < 9:
        seen += 1
        if getattr(optimizer, "weight_decay", None):
            taken.add("decay")
        if "SAM" in type(optimizer).__name__:
            taken.add("flat")
        known = isinstance(optimizer, keras.optimizers.Optimizer)
        rate = held_rate(optimizer) if known else None
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            taken.add("schedule")
        if getattr(optimizer, "use_ema", False):
            taken.add("average")
        optimizer = getattr(
            optimizer, "inner", getattr(optimizer, "inner_optimizer", None)
        )
    return taken


_BY_CALLBACK = {
    "earlystopping": "stop",
    "generalizationloss": "stop",
    "reducelronplateau": "schedule",
    "learningratescheduler": "schedule",
    "ema": "average",
    "swa": "average",
    "lawa": "average",
    "weightaveraging": "average",
    "swapemaweights": "average",
}


def _of_callbacks(callbacks):
    for callback in callbacks or ():
        word = _BY_CALLBACK.get(type(callback).__name__.lower())
        if word:
            yield word


def _losses(model, names):
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        return {name: loss.get(name) for name in names}
    if isinstance(loss, (list, tuple)):
        return dict(zip(names, [*loss, *[None] * len(names)], strict=False))
    return {name: loss for name in names}


def _loss_name(loss):
    if isinstance(loss, str):
        return plain_name(loss)
    name = getattr(loss, "name", None) or getattr(loss, "__name__", "")
    return plain_name(str(name))


def _kind(loss):
    if loss is None:
        return ""
    given = type(loss).__name__
    if given in ("MeanSquaredError", "MeanAbsoluteError"):
        return {"MeanSquaredError": "mse"}.get(given, "mae")
    if given.endswith("Crossentropy") and "Focal" not in given:
        return "ce"
    name = _loss_name(loss)
    return "other" if "focal" in name else kind_of(name) or "other"


def _classes(model, index, loss):
    name = f"{_loss_name(loss)} {type(loss).__name__.lower()}"
    if "crossentropy" not in name and "hinge" not in name:
        return 0
    try:
        units = model.outputs[index].shape[-1]
    except (AttributeError, IndexError, TypeError, ValueError):
        return 0
    if not isinstance(units, int):
        return 0
    return 2 if "binary" in name or units == 1 else units


def _floor(loss, classes):
    smoothing = float(getattr(loss, "label_smoothing", 0) or 0)
    if not smoothing or classes < 2:
        return 0.0
    rest = smoothing / classes
    shares = np.array([1 - smoothing + rest, *[rest] * (classes - 1)])
    return float(-(shares * np.log(np.maximum(shares, 1e-12))).sum())


def _penalty(model):
    """The penalties on weights; those on activities need inputs."""
    total = 0.0
    try:
        for variable in model.trainable_variables:
            if getattr(variable, "regularizer", None) is not None:
                value = variable.regularizer(variable)
                total += float(keras.ops.convert_to_numpy(value))
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return 0.0
    return total if math.isfinite(total) else 0.0


def _rate(model):
    try:
        rate = model.optimizer.learning_rate
        return float(keras.ops.convert_to_numpy(rate))
    except (AttributeError, TypeError, ValueError):
        return None
