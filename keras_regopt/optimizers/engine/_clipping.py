"""Keras' clipping of gradients, with fast norms in single precision."""

from keras import ops

from keras_regopt._sparse_gradients import scaled
from keras_regopt.optimizers.engine._norms import global_norm, norm


def clipped_each(gradients, longest):
    """Gradients of which each is as long as given at the most.

    Args:
        gradients: A list of gradients.
        longest: The largest norm, a Python number > 0.

    Returns:
        A list of gradients.
    """
    return [
        scaled(g, longest / ops.maximum(n, longest))
        for g, n in zip(gradients, map(norm, gradients), strict=True)
    ]


def clipped_together(gradients, longest):
    """Gradients that are, as if they were one, as long as given at the most.

    Args:
        gradients: A list of gradients.
        longest: The largest norm of all together, a Python number > 0.

    Returns:
        A list of gradients.
    """
    total = global_norm(gradients)
    factor = ops.minimum(longest / total, 1.0)
    # Not a number where the norm is not finite, as in Keras.
    factor = factor + (total - total)
    return [scaled(g, factor) for g in gradients]
