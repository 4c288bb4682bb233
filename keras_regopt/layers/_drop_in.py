"""Base of the layers that replace Keras' own random ones."""

import keras
import numpy as np

from keras_regopt._keeps_seed import SEED_KEY
from keras_regopt._keras import file_attributes
from keras_regopt._seed_state import seed_state, set_seed_state
from keras_regopt._validate import fail
from keras_regopt.layers._base import Layer


class DropIn(Layer):
    """Base of the layers that do what Keras' do, with other random numbers.

    A subclass inherits from Keras' class, too, so that `isinstance` finds it.
    Its files are those of Keras' layer: the state of the seed is an attribute
    of the file, where Keras does not look for weights.

    Args:
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.
    """

    passes_channels = True

    def __init__(self, seed: int | None = None, **kwargs):
        # Not that of Keras' class, which would make a generator of its own.
        keras.layers.Layer.__init__(self, **kwargs)
        self._take_seed(seed)
        self.supports_masking = True
        self._build_at_init()

    def compute_output_shape(self, input_shape):
        return input_shape

    def save_own_variables(self, store):
        attributes = file_attributes(store)
        if attributes is None:
            super().save_own_variables(store)
        else:
            attributes[SEED_KEY] = seed_state(self.seed_generator)

    def load_own_variables(self, store):
        super().load_own_variables(store)
        state = (file_attributes(store) or {}).get(SEED_KEY)
        if state is not None:
            set_seed_state(self.seed_generator, np.array(state))


def checked_by_keras(cls, **arguments):
    """Makes a layer of Keras, which refuses bad arguments in its own words."""
    # With a name, so that Keras counts none for it.
    cls(name="checked", **arguments)


def checked_noise_shape(owner, value):
    """The argument `noise_shape`: the shape of a mask, `None` for the input's.

    Args:
        owner: The layer under construction.
        value: `None`, or a list of positive integers and `None`.

    Returns:
        `None` or a tuple.

    Raises:
        ValueError: If it is anything else.
    """
    if value is None:
        return None
    good = isinstance(value, (list, tuple)) and all(
        size is None or (type(size) is int and size > 0) for size in value
    )
    if not good:
        allowed = "None, or a list of positive integers and None"
        fail(owner, "noise_shape", allowed, value)
    return tuple(value)


def shares_examples(noise_shape):
    """Whether several examples of a batch have the same mask."""
    return noise_shape is not None and noise_shape[:1] != (None,)
