"""Draws what each image augmentation does, for the gallery."""

import inspect
import pathlib

import keras
import numpy as np
from sklearn.datasets import load_sample_images

from keras_regopt import augmentation as a
from keras_regopt._registry import registered

DRAWS = 5
# Arguments without which there is no layer, or little to see.
ARGUMENTS = {
    "Apply": lambda: {"layer": a.RandomInvert(rate=1)},
    "Choice": lambda: {
        "layers": [a.RandomGrayscale(rate=1), a.RandomElastic(), a.GridMask()]
    },
    "Compose": lambda: {
        "layers": [a.RandomAffine(), a.RandomPerspective(), a.RandomColor()]
    },
    "CutMix": lambda: {"num_classes": 2},
    "MixUp": lambda: {"num_classes": 2, "alpha": 1.0},
    "Mosaic": lambda: {"num_classes": 2},
    "RandomAutoContrast": lambda: {"rate": 1},
    "RandomColor": lambda: {"hue": 0.1},
    "RandomCrop": lambda: {"height": 80, "width": 80},
    "RandomEqualize": lambda: {"rate": 1},
    "RandomGamma": lambda: {"gamma": (0.4, 2.5)},
    "RandomGrayscale": lambda: {"rate": 0.5},
    "RandomMix": lambda: {
        "layers": [a.MixUp(1.0), a.CutMix()],
        "num_classes": 2,
    },
    "RandomPadCrop": lambda: {"padding": 20},
    "RandomSharpness": lambda: {"factor": 1.0},
    "RandomPosterize": lambda: {"bits": (1, 4)},
    "RandomResizedCrop": lambda: {"height": 80, "width": 80},
}


def image_layers():
    """The layers for images, and the containers, which take images too."""
    others = (
        a.AudioAugmentation,
        a.SpectrogramAugmentation,
        a.StringAugmentation,
        a.TokenAugmentation,
    )
    augmentations = registered(a.RandomAugmentation)
    return [cls for cls in augmentations if not issubclass(cls, others)]


def draw(directory):
    """Writes one picture for each layer, and a page that shows them all.

    Args:
        directory: Where to write; it is made if it is not there.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    parts = []
    for cls in image_layers():
        layer = sample(cls)
        data = photographs()
        if not layer.mixes:
            # The labels stay, so they are not shown.
            del data["labels"]
            data = keras.tree.map_structure(lambda x: x[:1], data)
        if getattr(layer, "bounding_box_format", None) is None:
            del data["bounding_boxes"], data["segmentation_masks"]
        a.visualize(
            layer,
            data,
            DRAWS,
            class_names=("flower", "temple"),
            path=directory / f"{cls.__name__}.jpg",
        )
        parts += [
            f"## {cls.__name__}",
            inspect.getdoc(cls).partition("\n\n")[0],
            f"`{call(cls)}`",
            f"![What {cls.__name__} makes of an image]({cls.__name__}.jpg)",
        ]
    (directory / "augmentation.txt").write_text("\n\n".join(parts) + "\n")


def sample(cls):
    """The layer that is shown of a class, with its draws fixed."""
    arguments = ARGUMENTS.get(cls.__name__, dict)()
    if "bounding_box_format" in inspect.signature(cls).parameters:
        arguments["bounding_box_format"] = "xyxy"
    return cls(**arguments, seed=1)


def call(cls):
    """How the layer is made, as one writes it."""
    arguments = ARGUMENTS.get(cls.__name__, dict)()
    shown = ", ".join(f"{k}={written(v)}" for k, v in arguments.items())
    return f"{cls.__name__}({shown})"


def written(value):
    if isinstance(value, list):
        return "[" + ", ".join(written(v) for v in value) + "]"
    if isinstance(value, keras.Layer):
        return f"{type(value).__name__}(...)"
    return repr(value)


def photographs():
    """The two photographs that scikit-learn carries, a quarter as wide.

    Returns:
        A dict of `images`, `labels`, `bounding_boxes` and
        `segmentation_masks`; the flower comes first.
    """
    images = np.stack(load_sample_images().images[::-1])[:, :424]
    images = images.reshape(2, 106, 4, 160, 4, 3).mean((2, 4))
    red, green, _ = np.moveaxis(images[0], -1, 0)
    masks = np.zeros(images.shape[:3], "uint8")
    left, top, right, bottom = FLOWER
    masks[0, top:bottom, left:right] = (red - green > 20)[
        top:bottom, left:right
    ]
    return {
        "images": np.round(images).astype("uint8"),
        "labels": np.array([0, 1]),
        "bounding_boxes": {
            "boxes": np.array([[FLOWER], [TEMPLE]], "float32"),
            "labels": np.array([[0], [1]]),
        },
        "segmentation_masks": masks,
    }


# Boxes on the photographs, left, top, right, bottom.
FLOWER, TEMPLE = (42, 21, 111, 90), (17, 6, 90, 98)
