"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    CutMix,
    ImageAugmentation,
    MixUp,
    Mosaic,
    RandAugment,
    RandomAffine,
    RandomGaussianNoise,
    RandomMix,
    RandomSharpness,
)

__all__ = [
    "CutMix",
    "ImageAugmentation",
    "MixUp",
    "Mosaic",
    "RandAugment",
    "RandomAffine",
    "RandomAugmentation",
    "RandomGaussianNoise",
    "RandomMix",
    "RandomSharpness",
]
