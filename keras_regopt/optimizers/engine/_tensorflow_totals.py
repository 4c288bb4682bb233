"""Sums over each variable on TensorFlow: one compiled pass."""

from keras_regopt._sums import row_totals
from keras_regopt.optimizers.engine._formula import prepared, totals_of
from keras_regopt.optimizers.engine._step import Step, widened
from keras_regopt.optimizers.engine._tensorflow import (
    compiled,
    grouped,
    joined,
)


def totals(optimizer, terms, gradients, variables, values):
    """The sums of terms over each variable; see `_totals.py`.

    Returns:
        The indices of the variables among those of the model, and a vector for
        each term in that order.
    """
    import tensorflow as tf

    pairs, together = grouped(optimizer, gradients, variables)
    in_bucket = [i for bucket in together for i in bucket.indices]
    alone = [i for i in pairs if i not in set(in_bucket)]

    def sums(small, weights, large, values):
        found = [
            _totals_of_bucket(optimizer, terms, pairs, *own, values)
            for own in zip(together, small, weights, strict=True)
        ]
        for i, gradient in zip(alone, large, strict=True):
            scalars = totals_of(optimizer, terms, gradient, pairs[i][0], values)
            found.append([tf.reshape(s, [1]) for s in scalars])
        return [tf.concat(column, 0) for column in zip(*found, strict=True)]

    columns = compiled(sums, pairs)(
        [joined(pairs[i][1] for i in b.indices) for b in together],
        [joined(pairs[i][0] for i in b.indices) for b in together],
        [pairs[i][1] for i in alone],
        values,
    )
    return [*in_bucket, *alone], columns


def _totals_of_bucket(
    optimizer, terms, pairs, bucket, gradient, weight, values
):
    import tensorflow as tf

    first = bucket.indices[0]
    decay = optimizer.decay_of(pairs[first][0])
    step = Step(first, 0.0, decay, values, indices=bucket.indices)
    step = widened(step, weight.dtype)
    shape = (len(bucket.indices), -1)
    weight, gradient, *slots = (
        None if x is None else tf.reshape(x, shape)
        for x in (
            weight,
            gradient,
            *(None if s is None else s.value for s in bucket.slots),
        )
    )
    found = terms(*prepared(optimizer, weight, gradient, slots, step), step)
    return [tf.cast(row_totals(x), "float32") for x in found]
