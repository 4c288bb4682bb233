import keras
from keras import ops

from keras_regopt._axes import axes_within
from keras_regopt._config import SignatureConfig
from keras_regopt._precision import at_least_single
from keras_regopt._roles import NotAPenalty
from keras_regopt._validate import fail


class BatchNormalization(
    NotAPenalty, SignatureConfig, keras.layers.BatchNormalization
):
    """Base of the layers that normalize otherwise in training alone.

    A subclass writes `normalize`. Inference, weights, freezing and arguments
    are those of Keras' layer, which it can replace.

    Args:
        **kwargs: The arguments of `keras.layers.BatchNormalization`.

    Raises:
        ValueError: If `renorm` is set.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # An argument of Keras since 3.15.
        if getattr(self, "renorm", False):
            fail(
                self,
                "renorm",
                "False",
                True,
                "For batch renormalization use `BatchRenormalization`.",
            )

    def _keras_config(self):
        config = keras.layers.BatchNormalization.get_config(self)
        # Without what can only be off.
        return {
            name: value
            for name, value in config.items()
            if not name.startswith("renorm")
        }

    def build(self, input_shape):
        axes_within(self, "axis", self.axis, input_shape)
        super().build(input_shape)

    def call(self, inputs, training=None, mask=None):
        # A frozen layer infers, as Keras' does.
        if not (training and self.trainable):
            return super().call(inputs, training=False, mask=mask)
        # Sums of squares overflow in half precision.
        outputs = self.normalize(at_least_single(inputs), mask)
        return ops.cast(outputs, self.compute_dtype)

    def normalize(self, x, mask):
        """Normalizes a batch in training, and moves the statistics.

        Args:
            x: The inputs, in single precision at least.
            mask: `None`, or a boolean tensor of their shape without the last
                axis: which entries count.

        Returns:
            The outputs.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `normalize(self, x, mask)`."
        )
