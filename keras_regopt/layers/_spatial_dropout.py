import keras

from keras_regopt import _validate
from keras_regopt._validate import in_range
from keras_regopt.layers._drop_in import DropIn, checked_by_keras
from keras_regopt.layers._sampling import masked


class SpatialDropout(DropIn):
    """Base of `SpatialDropout1D`, `SpatialDropout2D` and `SpatialDropout3D`.

    Args:
        rate: Probability that a feature map is dropped, in [0, 1].
        data_format: `"channels_last"`, `"channels_first"` or `None` for what
            `keras.config` says; without meaning for sequences, whose channels
            are last. Defaults to `"channels_last"`.
        **kwargs: `seed`, `name` and `dtype`.
    """

    def __init__(
        self, rate: float, data_format: str | None = "channels_last", **kwargs
    ):
        in_range(self, "rate", rate)
        checked_by_keras(keras.layers.Dropout, rate=rate)
        super().__init__(**kwargs)
        self.rate = rate
        self.data_format = _validate.data_format(self, data_format)

    def _keras_config(self):
        # Keras' class takes no `trainable`.
        config = super()._keras_config()
        return {name: config[name] for name in ("name", "dtype")}

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = [1] * len(inputs.shape)
        channels = 1 if self.data_format == "channels_first" else -1
        shape[0] = None
        shape[channels] = None
        return masked(self, inputs, shape)
