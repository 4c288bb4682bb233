"""Random augmentation, inside the model or in `tf.data`.

The base of all augmentations and their containers stand here, the base in
modules with an underscore:

- `image/`: the layers for images
- `audio/`: the layers for waveforms and spectrograms
- `text/`: the layers for token ids and for strings
"""

from keras_regopt.augmentation import audio, image, text
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._map_dataset import map_dataset
from keras_regopt.augmentation._visualize import visualize
from keras_regopt.augmentation.apply import Apply
from keras_regopt.augmentation.audio import *  # noqa: F403
from keras_regopt.augmentation.averaged import Averaged
from keras_regopt.augmentation.choice import Choice
from keras_regopt.augmentation.compose import Compose
from keras_regopt.augmentation.image import *  # noqa: F403
from keras_regopt.augmentation.random_mix import RandomMix
from keras_regopt.augmentation.text import *  # noqa: F403

__all__ = [
    "Apply",
    "Averaged",
    "Choice",
    "Compose",
    "RandomAugmentation",
    "RandomMix",
    "map_dataset",
    "visualize",
]
__all__ += audio.__all__ + image.__all__ + text.__all__


def __dir__():
    return __all__
