"""The seed state of an augmentation, within and without `tf.data`."""

import keras

from keras_regopt._keras import (
    in_foreign_tf_graph,
    make_default_seed,
    tf_seed_generator,
)
from keras_regopt._seed_state import seed_state, set_seed_state


class Seeds:
    """A seed generator, and a second one for `tf.data` on other backends.

    A `tf.data` function cannot advance a variable of JAX or torch, so there
    a TensorFlow variable, which starts from the same seed, counts the draws.

    Args:
        seed: An integer, or `None` for a random one.
    """

    def __init__(self, seed):
        # Not `seed or ...`: 0 is a seed.
        self._start = make_default_seed() if seed is None else seed
        self.usual = keras.random.SeedGenerator(self._start)
        self._tensorflow = None

    def current(self):
        """The generator that fits the moment."""
        if not in_foreign_tf_graph():
            return self.usual
        if self._tensorflow is None:
            self._tensorflow = tf_seed_generator(self._start)
        return self._tensorflow

    def save(self, store):
        """Writes the state under two keys of a dict."""
        store["seed_state"] = seed_state(self.usual)
        if self._tensorflow is not None:
            store["tf_data_seed_state"] = seed_state(self._tensorflow)

    def load(self, store):
        """Takes up the state that `save` wrote, on any backend."""
        set_seed_state(self.usual, store["seed_state"])
        if "tf_data_seed_state" not in store:
            return
        # Under TensorFlow, `tf.data` and the rest share one generator.
        if keras.backend.backend() != "tensorflow":
            self._tensorflow = tf_seed_generator(self._start)
            set_seed_state(self._tensorflow, store["tf_data_seed_state"])
