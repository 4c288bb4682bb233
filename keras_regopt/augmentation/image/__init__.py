"""Random augmentation of images."""

from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.random_affine import RandomAffine
from keras_regopt.augmentation.image.random_crop import RandomCrop
from keras_regopt.augmentation.image.random_elastic import RandomElastic
from keras_regopt.augmentation.image.random_gaussian_noise import (
    RandomGaussianNoise,
)
from keras_regopt.augmentation.image.random_pad_crop import RandomPadCrop
from keras_regopt.augmentation.image.random_perspective import (
    RandomPerspective,
)
from keras_regopt.augmentation.image.random_resized_crop import (
    RandomResizedCrop,
)

__all__ = [
    "ImageAugmentation",
    "RandomAffine",
    "RandomCrop",
    "RandomElastic",
    "RandomGaussianNoise",
    "RandomPadCrop",
    "RandomPerspective",
    "RandomResizedCrop",
]
