"""The remedies of a recipe, by what they cure."""

import inspect
from typing import NamedTuple

import keras

from keras_regopt import augmentation, regularizers
from keras_regopt._validate import fail

BIAS, VARIANCE = "avoidable bias", "variance"


class Remedy(NamedTuple):
    """A technique with the strengths to try.

    Attributes:
        name: Its name among the chosen values.
        part: The argument of `build` that it needs, or an empty string.
        cures: `"avoidable bias"` or `"variance"`.
        strengths: The values to try, a tuple.
    """

    name: str
    part: str
    cures: str
    strengths: tuple[float, ...]


# In the order in which they are tried.
REMEDIES = {
    remedy.name: remedy
    for remedy in (
        Remedy("epochs", "", BIAS, (2, 4)),
        Remedy("learning_rate", "optimizer", BIAS, (0.3, 3.0, 10.0)),
        Remedy("width", "width", BIAS, (2, 4)),
        Remedy("augmentation", "augmentation", VARIANCE, (0.5, 1.0, 2.0)),
        Remedy("dropout", "dropout", VARIANCE, (0.2, 0.4, 0.6)),
        Remedy("weight_decay", "optimizer", VARIANCE, (0.01, 0.1, 1.0)),
        Remedy("l2", "kernel_regularizer", VARIANCE, (1e-4, 1e-3, 1e-2)),
        Remedy("label_smoothing", "label_smoothing", VARIANCE, (0.1, 0.2)),
    )
}
PARTS = tuple(dict.fromkeys(r.part for r in REMEDIES.values() if r.part))


def parts_of(owner, build):
    """The parts that a function takes.

    Args:
        owner: The function to name in errors.
        build: Function of parts that returns a compiled model.

    Returns:
        A tuple of names.

    Raises:
        ValueError: If it takes none, or demands another argument.
    """
    parameters = inspect.signature(build).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return PARTS
    named = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
    taken = tuple(p.name for p in named if p.name in PARTS)
    demanded = [p.name for p in named if p.default is p.empty]
    allowed = (
        f"a function of one or more of {', '.join(PARTS)}, which all have "
        "defaults that make the plain model"
    )
    if demanded or not taken:
        signature = f"build{inspect.signature(build)}"
        fail(owner, "build", allowed, signature)
    return taken


def choose_remedies(owner, names, parts):
    """The remedies that may be tried.

    Args:
        owner: The function to name in errors.
        names: `"auto"`, or a list of names.
        parts: The parts that `build` takes.

    Returns:
        A list of `Remedy`.

    Raises:
        ValueError: If a name is not known, or `build` lacks its part.
    """
    if names == "auto":
        return [r for r in REMEDIES.values() if not r.part or r.part in parts]
    allowed = f"'auto', or a list of {', '.join(map(repr, REMEDIES))}"
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        fail(owner, "remedies", allowed, names)
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        if name not in REMEDIES:
            fail(owner, "remedies", allowed, name)
        part = REMEDIES[name].part
        if part and part not in parts:
            allowed = f"without {name!r}, since `build` takes no `{part}`"
            fail(owner, "remedies", allowed, names)
    return [REMEDIES[name] for name in chosen]


def applies(remedy, x, optimizer):
    """Whether a remedy can act on such inputs, with such an optimizer."""
    if remedy.name == "augmentation":
        arrays = keras.tree.flatten(x)
        return len(arrays) == 1 and arrays[0].ndim == 4
    if remedy.part == "optimizer":
        config = optimizer.get_config()
        return "weight_decay" in config and isinstance(
            config.get("learning_rate"), float
        )
    return True


def made(settings, optimizer):
    """The arguments of `build` for chosen strengths.

    Args:
        settings: Dict of names of remedies and strengths.
        optimizer: The optimizer of the plain model.

    Returns:
        A dict of parts.
    """
    parts = {
        name: settings[name]
        for name in ("dropout", "label_smoothing", "width")
        if name in settings
    }
    if "augmentation" in settings:
        strength = settings["augmentation"]
        parts["augmentation"] = augmentation.RandomAffine(
            flip=None,
            rotation=0.03 * strength,
            zoom=0.1 * strength,
            translation=0.08 * strength,
            shear=0,
        )
    if "l2" in settings:
        parts["kernel_regularizer"] = regularizers.L2(settings["l2"])
    if "learning_rate" in settings or "weight_decay" in settings:
        config = optimizer.get_config()
        config["learning_rate"] *= settings.get("learning_rate", 1.0)
        if "weight_decay" in settings:
            config["weight_decay"] = settings["weight_decay"]
        parts["optimizer"] = type(optimizer).from_config(config)
    return parts


def called_for(diagnosis):
    """The gaps that call for a remedy, the bias first.

    One that cannot be told with so few rows counts: cross-validation, for which
    every row is a dev row once, then decides.
    """
    found = {
        gap.name
        for gap in diagnosis.gaps
        if gap.answer in ("high", "cannot tell") and gap.value > 0
    }
    if diagnosis.overfits:
        found.add(VARIANCE)
    return [name for name in (BIAS, VARIANCE) if name in found]
