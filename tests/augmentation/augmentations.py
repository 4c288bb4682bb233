"""All augmentations of the package, and images for them."""

import numpy as np
import pytest
import samples

from keras_regopt._registry import registered
from keras_regopt.augmentation import RandomAugmentation
from keras_regopt.testing._contract import Subject


def every_layer():
    """Functions that make each augmentation, as parameters of a test."""
    return [
        pytest.param(
            Subject(cls, samples.arguments_of(cls.__name__)).make,
            id=cls.__name__,
        )
        for cls in registered()
        if issubclass(cls, RandomAugmentation)
    ]


def images_of(*shape, dtype="float32"):
    """Images whose values span the range of bytes."""
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)
