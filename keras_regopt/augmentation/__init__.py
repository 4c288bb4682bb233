"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    ImageAugmentation,
    RandAugment,
    RandomAffine,
    RandomGaussianNoise,
    RandomSharpness,
)

__all__ = [
    "ImageAugmentation",
    "RandAugment",
    "RandomAffine",
    "RandomAugmentation",
    "RandomGaussianNoise",
    "RandomSharpness",
]
