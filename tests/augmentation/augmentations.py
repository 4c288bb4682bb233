"""All augmentations of images, and images for them."""

import numpy as np
import pytest
import samples

from keras_regopt._registry import registered
from keras_regopt.augmentation import (
    ImageAugmentation,
    RandomAffine,
    RandomGaussianNoise,
)
from keras_regopt.augmentation._containers import Container
from keras_regopt.testing._contract import Subject

# Containers need something to hold, and crops images that are large enough.
ARGUMENTS = {
    "Apply": {"layer": RandomAffine()},
    "Choice": {"layers": [RandomAffine(), RandomGaussianNoise()]},
    "Compose": {"layers": [RandomAffine(), RandomGaussianNoise()]},
    "RandomCrop": {"height": 8, "width": 7, "pad_if_needed": True},
}


# One that moves pixels, one that changes values, one that mixes.
ON_EVERY_BACKEND = {"CutMix", "RandomAffine", "RandomColor"}


def every_layer():
    """Functions that make each augmentation, as parameters of a test.

    All of them run on one backend, a few kinds on each.
    """
    return [
        pytest.param(
            Subject(cls, _arguments(cls)).make,
            id=cls.__name__,
            marks=()
            if cls.__name__ in ON_EVERY_BACKEND
            else pytest.mark.any_backend,
        )
        for cls in registered()
        if issubclass(cls, (ImageAugmentation, Container))
    ]


def images_of(*shape, dtype="float32"):
    """Images whose values span the range of bytes."""
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)


def _arguments(cls):
    name = cls.__name__
    return ARGUMENTS.get(name) or samples.arguments_of(name)
