"""Random augmentation of sound: of waveforms, and of spectrograms.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.audio._base import (
    AudioAugmentation,
    SpectrogramAugmentation,
)

__all__ = [
    "AudioAugmentation",
    "SpectrogramAugmentation",
]
