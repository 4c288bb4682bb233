"""Checks of `_keras.session`."""

import keras
import numpy as np
from keras import ops
from keras_boundary.common import (
    Telling,
    check,
)

from keras_regopt import _keras


@check
def automatic_names():
    keras.backend.clear_session(free_memory=False)
    assert _keras.automatic_names("Dense") == ("dense", 0)
    keras.layers.Dense(1)
    assert keras.layers.Dense(1).name == "dense_1"
    assert _keras.automatic_names("Dense") == ("dense", 2)


@check
def existing_global_seed():
    keras.backend.clear_session(free_memory=False)
    assert _keras.existing_global_seed() is None
    keras.random.uniform((1,))
    assert _keras.existing_global_seed() is _keras.global_seed_generator()


@check
def global_seed_generator():
    before = ops.convert_to_numpy(_keras.global_seed_generator().state)
    keras.random.uniform((1,))
    after = ops.convert_to_numpy(_keras.global_seed_generator().state)
    assert not np.array_equal(before, after)


@check
def make_default_seed():
    assert isinstance(_keras.make_default_seed(), int)


@check
def entry_layer():
    assert _keras.entry_layer() is None
    layer = Telling(_keras.entry_layer)
    model = keras.Sequential([layer], name="outermost")
    model(np.ones((1, 3), "float32"))
    assert layer.told.name == "outermost"


@check
def in_training():
    assert not _keras.in_training()
    for training in (True, False):
        layer = Telling(_keras.in_training)
        layer(np.ones((1, 3), "float32"), training=training)
        assert layer.told is training


@check
def kept_kernels():
    if keras.backend.backend() != "tensorflow":
        with _keras.kept_kernels():
            keras.utils.set_random_seed(0)
        return
    import tensorflow as tf
    from tensorflow.python.eager import context

    def drawn(seed):
        tf.random.set_seed(seed)
        # Its kernel has a state of its own.
        return float(tf.random.uniform((), seed=1))

    clear = context.pywrap_tfe.TFE_ContextClearCaches
    first = drawn(0)
    assert drawn(0) == first
    with _keras.kept_kernels():
        assert drawn(0) != first
        assert drawn(1) != first
    assert drawn(0) == first
    assert context.pywrap_tfe.TFE_ContextClearCaches is clear
