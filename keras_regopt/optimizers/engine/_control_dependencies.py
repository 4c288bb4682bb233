"""The order of what a TensorFlow graph does."""

import contextlib

import keras


def after(tensors):
    """Context in which a TensorFlow graph waits for tensors.

    What is assigned there stays as it was where these cannot be computed. When
    a data set of unknown length ends, a graph has begun a step already, and
    would count it.

    Args:
        tensors: A list of tensors, of which some may be `None`.

    Returns:
        A context manager, which does nothing on the other backends.
    """
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()

    import tensorflow as tf

    # An `IndexedSlices` by its values. Eager tensors are there already.
    tensors = [getattr(t, "values", t) for t in tensors if t is not None]
    return tf.control_dependencies(
        [t for t in tensors if not isinstance(t, tf.__internal__.EagerTensor)]
    )
