"""What the augmentations that mix the clips of a batch have in common."""

from keras_regopt.augmentation._mixing import Mixing
from keras_regopt.augmentation.audio._base import AudioAugmentation


class AudioMixing(Mixing, AudioAugmentation):
    """Base of the augmentations that make one clip of two of a batch.

    A subclass writes `sample` and `apply`, and `apply_to_lengths` where a
    mixture is longer than its first part.

    Args:
        **kwargs: `num_classes` of `Mixing`, `rate`, `seed` and `channels` of
            `AudioAugmentation`, and `name` and `dtype` of a Keras layer.
    """

    targets = frozenset({"labels", "targets", "lengths"})
    shared = ("channels", "value_range")
