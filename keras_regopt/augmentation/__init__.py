"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    ImageAugmentation,
    RandomAffine,
    RandomAutoContrast,
    RandomChannelDrop,
    RandomChannelShuffle,
    RandomColor,
    RandomEqualize,
    RandomGamma,
    RandomGaussianNoise,
    RandomGrayscale,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)

__all__ = [
    "ImageAugmentation",
    "RandomAffine",
    "RandomAugmentation",
    "RandomAutoContrast",
    "RandomChannelDrop",
    "RandomChannelShuffle",
    "RandomColor",
    "RandomEqualize",
    "RandomGamma",
    "RandomGaussianNoise",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]
