"""How much each token says about its text."""

from keras_regopt._keras import data_ops as ops


def replacement_rates(ids, free, idf, fraction):
    """The probability that a token is replaced, by its TF-IDF as in UDA.

    Args:
        ids: Int32 tensor of shape `(batch, length)`.
        free: Boolean tensor of that shape: what may be replaced.
        idf: Float32 tensor of shape `(vocabulary,)`.
        fraction: The mean over the free tokens of a text.

    Returns:
        Float32 tensor of the shape of `ids`, of numbers from 0 to 1. Where all
        tokens say as much, all of them have the rate `fraction`.
    """
    same = ops.logical_and(ids[:, :, None] == ids[:, None, :], free[:, None, :])
    # How often it occurs; the length is the same for all of a text.
    count = ops.sum(ops.cast(same, "float32"), axis=2)
    vocabulary = idf.shape[0]
    row = ops.clip(ids, 0, vocabulary - 1)
    score = ops.where(free, count * ops.take(idf, row, axis=0), 0.0)
    gap = ops.max(score, axis=1, keepdims=True) - score
    gap = ops.where(free, gap, 0.0)
    tokens = ops.sum(ops.cast(free, "float32"), axis=1, keepdims=True)
    mean = ops.sum(gap, axis=1, keepdims=True) / ops.maximum(tokens, 1.0)
    alike = mean < 1e-12
    rates = fraction * gap / ops.where(alike, 1.0, mean)
    return ops.minimum(ops.where(alike, fraction, rates), 1.0)
