"""Random augmentation of sound: of waveforms, and of spectrograms.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.audio import _mixing_in_turn  # noqa: F401
from keras_regopt.augmentation.audio._base import (
    AudioAugmentation,
    SpectrogramAugmentation,
)
from keras_regopt.augmentation.audio.audio_cut_mix import AudioCutMix
from keras_regopt.augmentation.audio.audio_mix_up import AudioMixUp
from keras_regopt.augmentation.audio.loudness_normalization import (
    LoudnessNormalization,
)
from keras_regopt.augmentation.audio.peak_normalization import PeakNormalization
from keras_regopt.augmentation.audio.random_audio_channel_shuffle import (
    RandomAudioChannelShuffle,
)
from keras_regopt.augmentation.audio.random_audio_crop import RandomAudioCrop
from keras_regopt.augmentation.audio.random_background_noise import (
    RandomBackgroundNoise,
)
from keras_regopt.augmentation.audio.random_clipping import RandomClipping
from keras_regopt.augmentation.audio.random_filter import RandomFilter
from keras_regopt.augmentation.audio.random_frequency_warp import (
    RandomFrequencyWarp,
)
from keras_regopt.augmentation.audio.random_gain import RandomGain
from keras_regopt.augmentation.audio.random_noise import RandomNoise
from keras_regopt.augmentation.audio.random_pitch_shift import RandomPitchShift
from keras_regopt.augmentation.audio.random_polarity import RandomPolarity
from keras_regopt.augmentation.audio.random_quantize import RandomQuantize
from keras_regopt.augmentation.audio.random_resample import RandomResample
from keras_regopt.augmentation.audio.random_reverb import RandomReverb
from keras_regopt.augmentation.audio.random_reverse import RandomReverse
from keras_regopt.augmentation.audio.random_short_noises import (
    RandomShortNoises,
)
from keras_regopt.augmentation.audio.random_speed import RandomSpeed
from keras_regopt.augmentation.audio.random_tanh_distortion import (
    RandomTanhDistortion,
)
from keras_regopt.augmentation.audio.random_time_mask import RandomTimeMask
from keras_regopt.augmentation.audio.random_time_shift import RandomTimeShift
from keras_regopt.augmentation.audio.random_time_stretch import (
    RandomTimeStretch,
)
from keras_regopt.augmentation.audio.spec_augment import SpecAugment

__all__ = [
    "AudioAugmentation",
    "AudioCutMix",
    "AudioMixUp",
    "LoudnessNormalization",
    "PeakNormalization",
    "RandomAudioChannelShuffle",
    "RandomAudioCrop",
    "RandomBackgroundNoise",
    "RandomClipping",
    "RandomFilter",
    "RandomFrequencyWarp",
    "RandomGain",
    "RandomNoise",
    "RandomPitchShift",
    "RandomPolarity",
    "RandomQuantize",
    "RandomResample",
    "RandomReverb",
    "RandomReverse",
    "RandomShortNoises",
    "RandomSpeed",
    "RandomTanhDistortion",
    "RandomTimeMask",
    "RandomTimeShift",
    "RandomTimeStretch",
    "SpecAugment",
    "SpectrogramAugmentation",
]
