from keras_regopt._validate import fail
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._levels import per_clip, within


class LevelNormalization(AudioAugmentation):
    """Base of the layers that bring every clip to one level.

    They act in training and outside of it alike, on every clip. A subclass
    writes `gain`.

    Args:
        **kwargs: `channels` and `value_range` of `AudioAugmentation`, and
            `name` and `dtype` of a Keras layer.

    Raises:
        ValueError: If `rate` is not 1.
    """

    acts_in_inference = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.rate != 1:
            fail(
                self,
                "rate",
                "1, since it also acts outside of training, on every clip",
                self.rate,
            )

    def gain(self, inputs, lengths):
        """What to multiply each clip by, of shape `(batch,)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must write `gain(self, inputs, lengths)`."
        )

    def ranged_layers(self):
        # Whatever the level is, it is mended.
        return []

    def sample(self, shape, seed):
        return {}

    def inference_parameters(self, shape):
        return {}

    def apply(self, inputs, parameters):
        lengths = parameters["lengths"]
        result = inputs * per_clip(self.gain(inputs, lengths))
        valid = within(lengths, self.ops.shape(inputs)[1])
        return self.ops.where(valid, result, inputs)
