"""Random augmentation of images."""

from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.grid_mask import GridMask
from keras_regopt.augmentation.image.random_affine import RandomAffine
from keras_regopt.augmentation.image.random_erasing import RandomErasing
from keras_regopt.augmentation.image.random_gaussian_blur import (
    RandomGaussianBlur,
)
from keras_regopt.augmentation.image.random_gaussian_noise import (
    RandomGaussianNoise,
)
from keras_regopt.augmentation.image.random_iso_noise import RandomISONoise
from keras_regopt.augmentation.image.random_jpeg import RandomJPEG
from keras_regopt.augmentation.image.random_motion_blur import RandomMotionBlur
from keras_regopt.augmentation.image.random_salt_pepper import RandomSaltPepper
from keras_regopt.augmentation.image.random_sharpness import RandomSharpness

__all__ = [
    "GridMask",
    "ImageAugmentation",
    "RandomAffine",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomGaussianNoise",
    "RandomISONoise",
    "RandomJPEG",
    "RandomMotionBlur",
    "RandomSaltPepper",
    "RandomSharpness",
]
