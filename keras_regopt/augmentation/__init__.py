"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._map_dataset import map_dataset
from keras_regopt.augmentation.image import (
    CutMix,
    GridMask,
    ImageAugmentation,
    MixUp,
    Mosaic,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomElastic,
    RandomErasing,
    RandomGaussianNoise,
    RandomMix,
    RandomPadCrop,
    RandomResizedCrop,
    RandomSaltPepper,
    RandomSharpness,
)

__all__ = [
    "CutMix",
    "GridMask",
    "ImageAugmentation",
    "MixUp",
    "Mosaic",
    "RandAugment",
    "RandomAffine",
    "RandomAugmentation",
    "RandomCrop",
    "RandomElastic",
    "RandomErasing",
    "RandomGaussianNoise",
    "RandomMix",
    "RandomPadCrop",
    "RandomResizedCrop",
    "RandomSaltPepper",
    "RandomSharpness",
    "map_dataset",
]
