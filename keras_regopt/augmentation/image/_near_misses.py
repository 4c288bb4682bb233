"""Keys of a dict that are nearly those of a layer, and labels left behind."""

from keras_regopt.augmentation._alike import is_like, plain, warn_of_key
from keras_regopt.augmentation._told import warn_once

# What keys of these begin, end or are, other than by their own names.
STEMS = {
    "segmentation_masks": ("mask", "segmentation"),
    "bounding_boxes": ("box",),
    "keypoints": ("keypoint", "landmark"),
}


def look_at_keys(layer, inputs, images):
    """Warns of what should change with the images and does not, once for each.

    Args:
        layer: The augmentation that is called, in training.
        inputs: What it is called on, images or a dict.
        images: The images, a tensor.
    """
    if not isinstance(inputs, dict):
        _warn_of_bare_images(layer)
        return
    names = [name for name in ("labels", *STEMS) if _changes(layer, name)]
    for key, value in inputs.items():
        if key in (layer.additional_targets or ()):
            continue
        name = _meant(key, value, names, len(images.shape))
        if name is not None:
            warn_of_key(layer, repr(key), "the images", name)
        elif _is_of_their_size(layer, key, value, images):
            _warn_of_size(layer, key)
    boxes = inputs.get("bounding_boxes")
    if isinstance(boxes, dict) and "bounding_boxes" in names:
        for key in boxes:
            if key != "classes" and is_like(key, "labels"):
                warn_of_key(
                    layer, f"{key!r} of the bounding boxes", "these", "labels"
                )


def _changes(layer, name):
    if name in layer.targets:
        return True
    return layer.mixes and name != "labels"


def _meant(key, value, names, rank):
    """Which of some names was meant by a key, `None` for none of them."""
    if not isinstance(key, str) or key in ("labels", *STEMS):
        return None
    for name in names:
        if is_like(key, name) or (
            any(stem in plain(key) for stem in STEMS.get(name, ()))
            and _could_be(name, value, rank)
        ):
            return name
    return None


def _could_be(name, value, rank):
    """Whether a value has a shape of what the name stands for."""
    if isinstance(value, dict):
        return "boxes" in value
    shape = getattr(value, "shape", None)
    if shape is None or getattr(shape, "rank", 0) is None:
        return value is not None
    if name == "segmentation_masks":
        return len(shape) >= rank - 1
    last = {"bounding_boxes": (4, None), "keypoints": (2, 3, None)}[name]
    return len(shape) == rank - 1 and shape[-1] in last


def _is_of_their_size(layer, key, value, images):
    """Whether an unknown key has a value for each pixel of images that move."""
    if "segmentation_masks" not in layer.targets or key in (
        layer.key,
        "labels",
        *STEMS,
    ):
        return False
    first = -2 if layer.data_format == "channels_first" else -3
    size = tuple(images.shape)[first:][:2]
    shape = getattr(value, "shape", None)
    if shape is None or None in size or getattr(shape, "rank", 0) is None:
        return False
    # In front of the size there is a batch, or none.
    before = len(images.shape) + first
    return tuple(shape)[before:][:2] == size and min(size) > 1


def _warn_of_size(layer, key):
    warn_once(
        layer,
        f"key {key!r}",
        f"The key {key!r} in the inputs of {type(layer).__name__} has a value "
        "for each pixel and passes untouched, while the pixels move. If they "
        "belong together, its name must be 'segmentation_masks', or stand in "
        f"`additional_targets`, as in {{{key!r}: 'images'}}.",
    )


def _warn_of_bare_images(layer):
    if layer.mixes:
        warn_once(
            layer,
            "bare images",
            f"{type(layer).__name__} mixes these images, but not their labels, "
            "which it did not get. Pass a dict, {'images': x, 'labels': y}, "
            "as `map_dataset(dataset, layer)` does by itself. To mix images "
            "that have no labels, pass {'images': x}.",
        )
