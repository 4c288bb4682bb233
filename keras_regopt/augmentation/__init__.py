"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    ImageAugmentation,
    RandomAffine,
    RandomCrop,
    RandomElastic,
    RandomGaussianNoise,
    RandomPadCrop,
    RandomPerspective,
    RandomResizedCrop,
)

__all__ = [
    "ImageAugmentation",
    "RandomAffine",
    "RandomAugmentation",
    "RandomCrop",
    "RandomElastic",
    "RandomGaussianNoise",
    "RandomPadCrop",
    "RandomPerspective",
    "RandomResizedCrop",
]
