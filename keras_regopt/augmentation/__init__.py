"""Random augmentation, inside the model or in `tf.data`.

The base of all augmentations and of their containers stands here, in modules
with an underscore; `image/` has the layers for images.
"""

from keras_regopt.augmentation import image
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._map_dataset import map_dataset
from keras_regopt.augmentation._visualize import visualize
from keras_regopt.augmentation.image import *  # noqa: F403

__all__ = ["RandomAugmentation", "map_dataset", "visualize"]
__all__ += image.__all__


def __dir__():
    return __all__
