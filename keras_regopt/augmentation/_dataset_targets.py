"""What the targets of a dataset are to a layer that moves things."""

import keras

from keras_regopt._validate import fail
from keras_regopt.augmentation.image._targets import TARGETS

# What targets of images can be, of which a function says nothing.
IMAGES = ("labels", *TARGETS)

_DICTS = (
    "Or map dicts: {'images': x, 'segmentation_masks': y}, or {'images': x, "
    "'bounding_boxes': {'boxes': ..., 'labels': ...}}."
)


def check_targets(owner, targets, layers):
    """The argument `targets`: `None`, a kind, or a dict of kinds.

    Args:
        owner: Whose argument it is.
        targets: The argument.
        layers: The augmentations that are to act.
    """
    kinds = targets.values() if isinstance(targets, dict) else [targets]
    known = targets is None or all(kind in _known(layers) for kind in kinds)
    if not known or len(set(kinds)) < len(kinds):
        names = ", ".join(repr(kind) for kind in _known(layers))
        fail(
            owner,
            "targets",
            f"None, one of {names}, or a dict that gives keys of the targets "
            "one of these each",
            targets,
        )


def _known(layers):
    """What targets can be: keys of the dicts that the layers take."""
    found = [getattr(layer, "target_kinds", {}) for layer in layers]
    return tuple({key: 0 for kinds in found for key in kinds} or IMAGES)


def kinds_of(layers, x, y, targets):
    """Which keys of the dict that a layer takes the targets go under.

    Args:
        layers: The augmentations that are to act.
        x: The data, or a dict of them and what belongs to them.
        y: The targets.
        targets: The argument `targets`.

    Returns:
        A kind for all of `y`, or a dict of kinds by the keys of `y`.

    Raises:
        ValueError: If these are no labels, the layers move pixels, and
            nobody says what they are.
    """
    if isinstance(targets, dict) and not set(targets) <= _keys(y):
        fail(
            "map_dataset",
            "targets",
            f"a dict whose keys are among those of the targets, {_keys(y)}",
            targets,
        )
    if targets is not None:
        return targets
    if isinstance(y, dict):
        if "boxes" in y:
            return "bounding_boxes"
        if set(y) <= set(_known(layers)):
            return {key: key for key in y}
    twin = _twin(layers, x, y)
    if twin is not None:
        return twin
    if may_stay(layers, x, y):
        return "labels"
    layer = moving_layers(layers)[0]
    if layer.key == "images" and _is_mask(layer, x, y):
        return "segmentation_masks"
    return _refuse(layer, layers, y)


def with_targets(data, y, kinds):
    """The dict with the targets in it."""
    if not isinstance(kinds, dict):
        return {**data, kinds: _boxed(y, kinds)}
    return data | {kind: _boxed(y[key], kind) for key, kind in kinds.items()}


def without_targets(data, y, kinds):
    """The rest of a dict that a layer returned, and the targets from it."""
    data = dict(data)
    if not isinstance(kinds, dict):
        after = _unboxed(data.pop(kinds), y, kinds)
        return data, after
    after = {
        key: _unboxed(data.pop(kind), y[key], kind)
        for key, kind in kinds.items()
    }
    return data, {**y, **after}


def may_stay(layers, x, y):
    """Whether what belongs to the data can stay as it is when these move.

    It can if each element has no more than a number or a vector of them.
    """
    if not moving_layers(layers):
        return True
    layer = moving_layers(layers)[0]
    rank = len(_data(layer, x).shape) - layer.element_rank
    return all(_rank(part) <= rank + 1 for part in keras.tree.flatten(y))


def moving_layers(layers):
    """The layers that change more than the data and their labels."""
    return [
        layer
        for layer in layers
        if set(getattr(layer, "moved_kinds", dict)()) - {"labels"}
    ]


def _twin(layers, x, y):
    """What targets are that have the very shape of the data, or `None`."""
    if not moving_layers(layers) or isinstance(y, (dict, tuple, list)):
        return None
    layer = moving_layers(layers)[0]
    data = _data(layer, x)
    dtypes = [keras.backend.standardize_dtype(t.dtype) for t in (data, y)]
    alike = len({keras.backend.is_float_dtype(dtype) for dtype in dtypes}) == 1
    same = tuple(y.shape) == tuple(data.shape)
    return layer.kind.twin if alike and same else None


def _boxed(y, kind):
    bare = kind == "bounding_boxes" and not isinstance(y, dict)
    return {"boxes": y} if bare else y


def _unboxed(after, y, kind):
    bare = kind == "bounding_boxes" and not isinstance(y, dict)
    return after["boxes"] if bare else after


def _keys(y):
    return set(y) if isinstance(y, dict) else set()


def _data(layer, x):
    return x[layer.key] if isinstance(x, dict) else x


def _is_mask(layer, x, y):
    """Whether targets have the height and the width of the images."""
    images = _data(layer, x)
    if isinstance(y, (dict, tuple, list)):
        return False
    shape, rank = tuple(y.shape), len(images.shape)
    rows, columns = layer.spatial_axes
    size = images.shape[rows], images.shape[columns]
    if len(shape) == rank:
        pairs = zip((shape[rows], shape[columns]), size, strict=True)
        return all(a is None or b is None or a == b for a, b in pairs)
    # With one axis less it may be anything, unless the sizes are known.
    return len(shape) == rank - 1 and None not in size and shape[-2:] == size


def _rank(part):
    return getattr(part.shape, "rank", len(part.shape)) or 0


def _refuse(layer, layers, y):
    shapes = keras.tree.map_structure(lambda part: tuple(part.shape), y)
    kinds = ", ".join(map(repr, _known(layers)))
    others = f" {_DICTS}" if layer.key == "images" else ""
    raise ValueError(
        f"{type(layer).__name__} moves what is in the {layer.key}, and "
        "`map_dataset` cannot tell what must move along. Received: targets of "
        f"shape {shapes}. Set `targets` to what they are, one of {kinds} "
        "('labels' do not move), or to a dict of these by the keys of the "
        f"targets.{others}"
    )
