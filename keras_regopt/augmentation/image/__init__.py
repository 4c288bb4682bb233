"""Random augmentation of images.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.image import _mixing_in_turn  # noqa: F401
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image._policy import PolicyAugmentation
from keras_regopt.augmentation.image.aug_mix import AugMix
from keras_regopt.augmentation.image.auto_augment import AutoAugment
from keras_regopt.augmentation.image.cut_mix import CutMix
from keras_regopt.augmentation.image.grid_mask import GridMask
from keras_regopt.augmentation.image.mix_up import MixUp
from keras_regopt.augmentation.image.mosaic import Mosaic
from keras_regopt.augmentation.image.rand_augment import RandAugment
from keras_regopt.augmentation.image.random_affine import RandomAffine
from keras_regopt.augmentation.image.random_auto_contrast import (
    RandomAutoContrast,
)
from keras_regopt.augmentation.image.random_channel_drop import (
    RandomChannelDrop,
)
from keras_regopt.augmentation.image.random_channel_shuffle import (
    RandomChannelShuffle,
)
from keras_regopt.augmentation.image.random_color import RandomColor
from keras_regopt.augmentation.image.random_crop import RandomCrop
from keras_regopt.augmentation.image.random_elastic import RandomElastic
from keras_regopt.augmentation.image.random_equalize import RandomEqualize
from keras_regopt.augmentation.image.random_erasing import RandomErasing
from keras_regopt.augmentation.image.random_gamma import RandomGamma
from keras_regopt.augmentation.image.random_gaussian_blur import (
    RandomGaussianBlur,
)
from keras_regopt.augmentation.image.random_gaussian_noise import (
    RandomGaussianNoise,
)
from keras_regopt.augmentation.image.random_grayscale import RandomGrayscale
from keras_regopt.augmentation.image.random_invert import RandomInvert
from keras_regopt.augmentation.image.random_iso_noise import RandomISONoise
from keras_regopt.augmentation.image.random_jpeg import RandomJPEG
from keras_regopt.augmentation.image.random_motion_blur import RandomMotionBlur
from keras_regopt.augmentation.image.random_pad_crop import RandomPadCrop
from keras_regopt.augmentation.image.random_perspective import RandomPerspective
from keras_regopt.augmentation.image.random_posterize import RandomPosterize
from keras_regopt.augmentation.image.random_resized_crop import (
    RandomResizedCrop,
)
from keras_regopt.augmentation.image.random_salt_pepper import RandomSaltPepper
from keras_regopt.augmentation.image.random_sharpness import RandomSharpness
from keras_regopt.augmentation.image.random_solarize import RandomSolarize
from keras_regopt.augmentation.image.trivial_augment_wide import (
    TrivialAugmentWide,
)

__all__ = [
    "AugMix",
    "AutoAugment",
    "CutMix",
    "GeometricAugmentation",
    "GridMask",
    "ImageAugmentation",
    "MixUp",
    "Mosaic",
    "PolicyAugmentation",
    "RandAugment",
    "RandomAffine",
    "RandomAutoContrast",
    "RandomChannelDrop",
    "RandomChannelShuffle",
    "RandomColor",
    "RandomCrop",
    "RandomElastic",
    "RandomEqualize",
    "RandomErasing",
    "RandomGamma",
    "RandomGaussianBlur",
    "RandomGaussianNoise",
    "RandomGrayscale",
    "RandomISONoise",
    "RandomInvert",
    "RandomJPEG",
    "RandomMotionBlur",
    "RandomPadCrop",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomSaltPepper",
    "RandomSharpness",
    "RandomSolarize",
    "TrivialAugmentWide",
]
