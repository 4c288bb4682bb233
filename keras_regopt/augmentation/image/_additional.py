"""Several images, or masks, of one scene that change by one draw."""

from keras_regopt._validate import fail
from keras_regopt.augmentation._inputs import as_tensor
from keras_regopt.augmentation._layout import spatial_axes

KINDS = ("images", "segmentation_masks")

_OWN = ("labels", "bounding_boxes", "keypoints", *KINDS)


def checked_targets(owner, targets):
    """The argument `additional_targets`, unchanged."""
    if targets is None:
        return None
    kinds = _kinds(targets) if isinstance(targets, (list, tuple, dict)) else 0
    good = kinds and all(
        isinstance(key, str) and key not in _OWN and kind in KINDS
        for key, kind in kinds.items()
    )
    if not good:
        fail(
            owner,
            "additional_targets",
            "None, a list of keys of images other than 'images', or a dict "
            "that says of each key whether it is 'images' or "
            "'segmentation_masks'",
            targets,
        )
    return targets


def kinds_of(layer):
    """The kind of each additional target of a layer, by its key."""
    return _kinds(layer.additional_targets or ())


def read_additional(layer, data):
    """The dict of the inputs with additional images as tensors.

    Raises:
        ValueError: If one is missing, or of another size than the images.
    """
    images = data["images"]
    for key, kind in kinds_of(layer).items():
        if key not in data:
            raise ValueError(
                f"The inputs of {type(layer).__name__} must be a dict with the "
                f"keys of `additional_targets`. '{key}' is missing. Received: "
                f"keys={list(data)}"
            )
        if kind != "images":
            continue
        tensor = as_tensor(layer, data[key])
        rows, columns = spatial_axes(layer)
        sizes = [(x.shape[rows], x.shape[columns]) for x in (tensor, images)]
        pairs = zip(*sizes, strict=True)
        fits = all(None in pair or pair[0] == pair[1] for pair in pairs)
        if len(tensor.shape) != len(images.shape) or not fits:
            raise ValueError(
                f"`{key}` in the inputs of {type(layer).__name__} must have "
                f"the rank, the height and the width of the images, "
                f"{tuple(images.shape)}. Received: shape={tuple(tensor.shape)}"
            )
        data = {**data, key: tensor}
    return data


def _kinds(targets):
    if isinstance(targets, dict):
        return targets
    return dict.fromkeys(targets, "images")
