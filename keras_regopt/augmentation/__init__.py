"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    CutMix,
    ImageAugmentation,
    MixUp,
    Mosaic,
    RandomAffine,
    RandomGaussianNoise,
    RandomMix,
    RandomPerspective,
)

__all__ = [
    "CutMix",
    "ImageAugmentation",
    "MixUp",
    "Mosaic",
    "RandomAffine",
    "RandomAugmentation",
    "RandomGaussianNoise",
    "RandomMix",
    "RandomPerspective",
]
