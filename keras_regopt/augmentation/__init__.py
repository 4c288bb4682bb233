"""Random augmentation of images, inside the model or in `tf.data`."""

from keras_regopt.augmentation._base import (
    RandomAugmentation,
)
from keras_regopt.augmentation._map_dataset import (
    map_dataset,
)
from keras_regopt.augmentation._visualize import (
    visualize,
)
from keras_regopt.augmentation.image import (
    GridMask,
    ImageAugmentation,
    RandomAffine,
    RandomAutoContrast,
    RandomChannelDrop,
    RandomChannelShuffle,
    RandomColor,
    RandomCrop,
    RandomElastic,
    RandomEqualize,
    RandomErasing,
    RandomGamma,
    RandomGaussianNoise,
    RandomGrayscale,
    RandomInvert,
    RandomPadCrop,
    RandomPerspective,
    RandomPosterize,
    RandomResizedCrop,
    RandomSaltPepper,
    RandomSharpness,
    RandomSolarize,
)

__all__ = [
    "GridMask",
    "ImageAugmentation",
    "RandomAffine",
    "RandomAugmentation",
    "RandomAutoContrast",
    "RandomChannelDrop",
    "RandomChannelShuffle",
    "RandomColor",
    "RandomCrop",
    "RandomElastic",
    "RandomEqualize",
    "RandomErasing",
    "RandomGamma",
    "RandomGaussianNoise",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPadCrop",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomSaltPepper",
    "RandomSharpness",
    "RandomSolarize",
    "map_dataset",
    "visualize",
]
