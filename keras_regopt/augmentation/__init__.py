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
    RandomCrop,
    RandomElastic,
    RandomErasing,
    RandomGaussianNoise,
    RandomPadCrop,
    RandomPerspective,
    RandomResizedCrop,
    RandomSaltPepper,
    RandomSharpness,
)

__all__ = [
    "GridMask",
    "ImageAugmentation",
    "RandomAffine",
    "RandomAugmentation",
    "RandomCrop",
    "RandomElastic",
    "RandomErasing",
    "RandomGaussianNoise",
    "RandomPadCrop",
    "RandomPerspective",
    "RandomResizedCrop",
    "RandomSaltPepper",
    "RandomSharpness",
    "map_dataset",
    "visualize",
]
