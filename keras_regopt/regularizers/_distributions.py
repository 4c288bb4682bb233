"""Predictions as probability distributions, and how far apart they are."""

import keras
from keras import ops


def log_probabilities(y_pred, from_logits):
    """The logarithms of predicted probabilities, in single precision.

    Args:
        y_pred: A tensor, or a structure of tensors, of logits or
            probabilities. A last axis of one is the second class of two.
        from_logits: Whether they are logits.

    Returns:
        A list of tensors whose last axis goes over the classes.
    """
    return [_logs(y, from_logits) for y in keras.tree.flatten(y_pred)]


def divergence(log_p, log_q):
    """The Kullback-Leibler divergence KL(p || q) of each example.

    Args:
        log_p: What `log_probabilities` returned.
        log_q: Likewise.

    Returns:
        A tensor of shape `(examples,)`: the mean over inner axes, such as
        time, and the sum over several outputs.
    """
    return sum(
        _mean_of_inner_axes(ops.sum(ops.exp(p) * (p - q), axis=-1))
        for p, q in zip(log_p, log_q, strict=True)
    )


def _logs(y, from_logits):
    y = ops.cast(y, "float32")
    two_classes = y.shape[-1] == 1
    if from_logits:
        if two_classes:
            y = ops.concatenate([ops.zeros_like(y), y], axis=-1)
        return ops.log_softmax(y, axis=-1)
    if two_classes:
        y = ops.concatenate([1 - y, y], axis=-1)
    tiny = keras.config.epsilon()
    return ops.log(ops.clip(y, tiny, 1.0))


def _mean_of_inner_axes(x):
    # On torch, a mean over no axes is one over all.
    inner = tuple(range(1, len(x.shape)))
    return ops.mean(x, axis=inner) if inner else x
