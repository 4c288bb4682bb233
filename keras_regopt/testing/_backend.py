"""Gradients, compilation and devices, which Keras leaves to its backends."""

import keras

from keras_regopt._autodiff import pullback
from keras_regopt.testing._contract import NotApplicable


def backend():
    return keras.backend.backend()


def to_numpy(x):
    """A float32 array, or an array as it is if it holds no floats."""
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
        x = keras.ops.cast(x, "float32")
    return keras.ops.convert_to_numpy(x)


def gradient(function, x):
    """The gradient of a scalar function of a tensor, as an array."""
    value, pull = pullback(
        lambda inputs: function(inputs[0]),
        [keras.ops.convert_to_tensor(x)],
        twice=False,
    )
    (slope,) = pull(keras.ops.ones_like(value))
    return keras.ops.convert_to_numpy(slope)


def compiled(function):
    """The function, compiled by the backend's compiler."""
    if backend() == "tensorflow":
        import tensorflow as tf

        # Keras does not rewrite the Python of a train step either.
        return tf.function(function, jit_compile=True, autograph=False)
    if backend() == "jax":
        import jax

        return jax.jit(function)
    raise NotApplicable(
        "Keras runs the torch backend eagerly unless told otherwise"
    )


def in_graph(function):
    """The function as a TensorFlow graph, which nothing compiles."""
    import tensorflow as tf

    return tf.function(function, autograph=False)


def needs_compiler():
    """Raises `NotApplicable` on torch, which Keras runs eagerly."""
    if backend() == "torch":
        raise NotApplicable(
            "Keras runs the torch backend eagerly unless told otherwise"
        )


def data_parallel(train):
    """The result of `train()`, with every batch split over two devices."""
    if backend() == "tensorflow":
        import tensorflow as tf

        devices = [d.name for d in tf.config.list_logical_devices("CPU")]
        if len(devices) < 2:
            raise NotApplicable("TensorFlow was started with one device")
        # Not by collectives, whose keys TensorFlow reuses for every strategy
        # of a process, whatever shapes they were used for before.
        strategy = tf.distribute.MirroredStrategy(
            devices[:2],
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
        with strategy.scope():
            return train()
    if backend() == "jax":
        devices = keras.distribution.list_devices()
        if len(devices) < 2:
            raise NotApplicable("JAX was started with one device")
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(devices=devices[:2])
        )
        try:
            return train()
        finally:
            keras.distribution.set_distribution(None)
    raise NotApplicable("Keras has no data parallelism in one torch process")
