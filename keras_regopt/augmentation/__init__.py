"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    ImageAugmentation,
    RandomAffine,
    RandomGaussianNoise,
    RandomSharpness,
)

__all__ = [
    "ImageAugmentation",
    "RandomAffine",
    "RandomAugmentation",
    "RandomGaussianNoise",
    "RandomSharpness",
]
