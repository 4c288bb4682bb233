"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.image import (
    GridMask,
    ImageAugmentation,
    RandomAffine,
    RandomErasing,
    RandomGaussianBlur,
    RandomGaussianNoise,
    RandomISONoise,
    RandomJPEG,
    RandomMotionBlur,
    RandomSaltPepper,
    RandomSharpness,
)

__all__ = [
    "GridMask",
    "ImageAugmentation",
    "RandomAffine",
    "RandomAugmentation",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomGaussianNoise",
    "RandomISONoise",
    "RandomJPEG",
    "RandomMotionBlur",
    "RandomSaltPepper",
    "RandomSharpness",
]
