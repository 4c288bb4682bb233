"""Random augmentation of sound: of waveforms, and of spectrograms.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.audio._base import (
    AudioAugmentation,
    SpectrogramAugmentation,
)
from keras_regopt.augmentation.audio.audio_cut_mix import AudioCutMix
from keras_regopt.augmentation.audio.audio_mix_up import AudioMixUp
from keras_regopt.augmentation.audio.random_audio_crop import RandomAudioCrop
from keras_regopt.augmentation.audio.random_frequency_warp import (
    RandomFrequencyWarp,
)
from keras_regopt.augmentation.audio.random_time_mask import RandomTimeMask
from keras_regopt.augmentation.audio.random_time_shift import RandomTimeShift
from keras_regopt.augmentation.audio.spec_augment import SpecAugment

__all__ = [
    "AudioAugmentation",
    "AudioCutMix",
    "AudioMixUp",
    "RandomAudioCrop",
    "RandomFrequencyWarp",
    "RandomTimeMask",
    "RandomTimeShift",
    "SpecAugment",
    "SpectrogramAugmentation",
]
