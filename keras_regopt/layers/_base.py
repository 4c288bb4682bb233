import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._keeps_seed import KeepsSeed
from keras_regopt._roles import NotAPenalty


class Layer(NotAPenalty, KeepsSeed, SignatureConfig, keras.layers.Layer):
    """Base of the layers: a subclass writes `__init__` and `call`.

    Keras' own arguments (`name`, `dtype`, `trainable`) pass through
    `**kwargs` and need not be written out again. A layer that draws random
    numbers keeps its generator in `self.seed_generator`; its state is saved
    with the weights, so that a reloaded model draws on.
    """

    # Whether one draw serves a whole batch, so that the examples of a batch
    # are not random independently of one another.
    draws_once_for_a_batch = False
    # Whether its output at inference is its input, or acts on each channel
    # alone and leaves constants as they are: `constraints.shrink` looks here.
    passes_channels = False

    def _keras_config(self):
        return keras.layers.Layer.get_config(self)
