"""What can be together in one container."""

from keras_regopt._validate import fail
from keras_regopt.augmentation._base import RandomAugmentation


def check_parts(owner, argument, layers):
    """Refuses what cannot be together in one container."""
    first = layers[0]
    for layer in layers:
        if not isinstance(layer, RandomAugmentation):
            fail(
                owner,
                argument,
                "augmentations of keras_regopt",
                layer,
                "Keras' own random layers draw once for a batch, so a "
                "container has no say over them: put them next to it, in a "
                "`keras.Sequential`.",
            )
        if _kind_of(layer) != _kind_of(first):
            fail(
                owner,
                argument,
                f"augmentations of one kind of data; {_described(first)}, and "
                f"{_described(layer)}",
                layers,
            )


def _kind_of(layer):
    return layer.key, layer.element_rank, layer.holds_strings


def _described(layer):
    """What a layer takes, in words."""
    content = "strings" if layer.holds_strings else "numbers"
    return (
        f"{type(layer).__name__} takes {layer.key!r}, {content} of rank "
        f"{layer.element_rank}"
    )
