"""Random augmentation of images."""

from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.random_affine import RandomAffine
from keras_regopt.augmentation.image.random_gaussian_noise import (
    RandomGaussianNoise,
)
from keras_regopt.augmentation.image.random_perspective import (
    RandomPerspective,
)

__all__ = [
    "ImageAugmentation",
    "RandomAffine",
    "RandomGaussianNoise",
    "RandomPerspective",
]
