"""Random augmentation of sound: of waveforms, and of spectrograms.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.audio._base import (
    AudioAugmentation,
    SpectrogramAugmentation,
)
from keras_regopt.augmentation.audio.random_pitch_shift import RandomPitchShift
from keras_regopt.augmentation.audio.random_resample import RandomResample
from keras_regopt.augmentation.audio.random_speed import RandomSpeed
from keras_regopt.augmentation.audio.random_time_stretch import (
    RandomTimeStretch,
)

__all__ = [
    "AudioAugmentation",
    "RandomPitchShift",
    "RandomResample",
    "RandomSpeed",
    "RandomTimeStretch",
    "SpectrogramAugmentation",
]
