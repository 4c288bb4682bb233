"""Random augmentation of images."""

from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.random_affine import RandomAffine
from keras_regopt.augmentation.image.random_gaussian_noise import (
    RandomGaussianNoise,
)

__all__ = ["ImageAugmentation", "RandomAffine", "RandomGaussianNoise"]
