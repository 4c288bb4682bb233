import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._seed_state import seed_state, set_seed_state
from keras_regopt._validate import integer

_KEY = "seed_generator_state"


class KeepsSeed:
    """What a layer or a model inherits that draws random numbers.

    It keeps its generator in `self.seed_generator`, whose state is saved with
    the weights, so that a reloaded model draws on.
    """

    seed_generator = None

    def _take_seed(self, seed):
        self.seed = integer(self, "seed", seed, low=0, optional=True)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.seed_generator is not None:
            store[_KEY] = seed_state(self.seed_generator)

    def load_own_variables(self, store):
        weights = {key: store[key] for key in store.keys()}  # noqa: SIM118
        state = weights.pop(_KEY, None)
        super().load_own_variables(weights)
        if state is not None and self.seed_generator is not None:
            set_seed_state(self.seed_generator, state)


class Layer(KeepsSeed, SignatureConfig, keras.layers.Layer):
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
