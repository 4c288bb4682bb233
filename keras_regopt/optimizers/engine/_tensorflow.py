"""The step on TensorFlow: one compiled pass, small variables together."""

import keras

from keras_regopt.optimizers.engine._norms import norm, row_norms
from keras_regopt.optimizers.engine._sparse_gradients import dense, is_sparse
from keras_regopt.optimizers.engine._step import Step

# Below this size, starting an operation costs more than doing it; above it,
# copying costs more.
SMALL = 2**15


def stands_alone(optimizer):
    """Whether the optimizer has no replicas to keep in step."""
    import tensorflow as tf

    return not tf.distribute.has_strategy() and type(
        optimizer._distribution_strategy
    ) is type(tf.distribute.get_strategy())


def buckets(optimizer, variables):
    """Which variables shall have their state together.

    Args:
        optimizer: The optimizer, whose base is built.
        variables: The model's variables.

    Returns:
        A list of lists of indices; variables that are treated alike, and are
        small, are in one list.
    """
    if (
        keras.backend.backend() != "tensorflow"
        or not optimizer.slot_names()
        or not stands_alone(optimizer)
    ):
        return []
    kinds = {}
    for i, variable in enumerate(variables):
        native = getattr(variable, "value", variable)
        if (
            optimizer._overwrite_variable_with_gradient(variable)
            or hasattr(native, "values")
            or _size(variable) > SMALL
        ):
            continue
        kind = optimizer.kind_of(i, variable)
        if kind is not None:
            size = _size(variable) if optimizer.in_rows else None
            kind = (variable.dtype, native.device, size, *kind)
            kinds.setdefault(kind, []).append(i)
    return [indices for indices in kinds.values() if len(indices) > 1]


def update(optimizer, gradients, variables, learning_rate):
    """Makes the step of all variables.

    In a graph the step is compiled by itself, since TensorFlow would make some
    thirty passes over the memory where ten suffice.

    Args:
        optimizer: The optimizer.
        gradients: The gradients, complete.
        variables: The variables that they belong to.
        learning_rate: The learning rate.
    """
    import tensorflow as tf

    values = optimizer.step_values(gradients, variables, learning_rate)
    natives = [getattr(v, "value", v) for v in variables]
    pairs = {
        optimizer._get_variable_index(v): (n, g)
        for n, g, v in zip(natives, gradients, variables, strict=True)
    }
    together = [
        bucket
        for bucket in optimizer._slots.buckets
        # Where gradients are missing, the rest goes one by one.
        if all(_is_dense(pairs.get(i, [None])[-1]) for i in bucket.indices)
    ]
    in_bucket = {i for bucket in together for i in bucket.indices}
    parted = {i for b in optimizer._slots.buckets for i in b.indices}
    alone = []
    for i, (native, gradient) in pairs.items():
        if i in in_bucket:
            continue
        if i in parted:
            gradient = dense(gradient)
            optimizer._update(native, gradient, learning_rate, values)
        elif _is_dense(gradient) and (
            # Two operations are quicker than their way into a compiled pass.
            optimizer.slot_names() or _size(native) > SMALL
        ):
            alone.append(i)
        else:
            optimizer._update(native, gradient, learning_rate, values)

    def step(large, lengths, small, weights, learning_rate, values):
        for i, gradient, own in zip(alone, large, lengths, strict=True):
            optimizer.update_step(
                gradient,
                pairs[i][0],
                learning_rate * optimizer._rate_factors[i],
                values,
                own,
            )
        return [
            _step_of_bucket(
                optimizer, b, pairs, gradient, weight, learning_rate, values
            )
            for b, gradient, weight in zip(
                together, small, weights, strict=True
            )
        ]

    if not tf.executing_eagerly() and len({n.device for n in natives}) == 1:
        step = tf.function(step, jit_compile=True, autograph=False)
    results = step(
        [pairs[i][1] for i in alone],
        [optimizer.lengths(i, *pairs[i], norm) for i in alone],
        [_joined(pairs[i][1] for i in b.indices) for b in together],
        [_joined(pairs[i][0] for i in b.indices) for b in together],
        tf.convert_to_tensor(learning_rate),
        values,
    )
    for bucket, result in zip(together, results, strict=True):
        parts = tf.split(result, bucket.sizes)
        for i, part, shape in zip(
            bucket.indices, parts, bucket.shapes, strict=True
        ):
            pairs[i][0].assign(
                part if len(shape) == 1 else tf.reshape(part, shape)
            )


def _step_of_bucket(optimizer, bucket, pairs, gradient, weight, rate, values):
    import tensorflow as tf

    first = bucket.indices[0]
    slots = [slot.value for slot in bucket.slots]
    step = Step(
        first,
        rate * optimizer._rate_factors[first],
        optimizer.decay_of(pairs[first][0]),
        values,
    )
    if optimizer.in_rows:
        shape = (len(bucket.indices), -1)
        weight, gradient, *slots = (
            tf.reshape(x, shape) for x in (weight, gradient, *slots)
        )
        step.norm = row_norms
        step.lengths = optimizer.lengths(first, weight, gradient, row_norms)
    value, states = optimizer.stepped(weight, gradient, slots, step)
    for slot, state in zip(bucket.slots, states, strict=True):
        slot.value.assign(tf.reshape(state, [-1]))
    return tf.reshape(value, [-1])


def _joined(tensors):
    import tensorflow as tf

    return tf.concat(
        [t if len(t.shape) == 1 else tf.reshape(t, [-1]) for t in tensors], 0
    )


def _is_dense(gradient):
    return gradient is not None and not is_sparse(gradient)


def _size(variable):
    size = 1
    for length in variable.shape:
        size *= length
    return size
