"""The step on TensorFlow: one compiled pass, small variables together."""

import keras

from keras_regopt._keras import index_of, is_overwritten, strategy_of
from keras_regopt._sparse_gradients import dense, is_sparse
from keras_regopt.optimizers.engine._formula import stepped
from keras_regopt.optimizers.engine._norms import norm, row_norms
from keras_regopt.optimizers.engine._step import Step

# Below this size, starting an operation costs more than doing it; above it,
# copying costs more.
SMALL = 2**15


def stands_alone(optimizer):
    """Whether the optimizer has no replicas to keep in step."""
    import tensorflow as tf

    return not tf.distribute.has_strategy() and type(
        strategy_of(optimizer)
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
        # A file may hold other factors than those that are known now.
        or optimizer.idle_groups
    ):
        return []
    names = [n for names in optimizer.slot_names() for n in names]
    kinds = {}
    for i, variable in enumerate(variables):
        native = getattr(variable, "value", variable)
        if (
            is_overwritten(optimizer, variable)
            or hasattr(native, "values")
            or _size(variable) > SMALL
        ):
            continue
        kind = optimizer.kind_of(i, variable)
        if kind is not None:
            size = _size(variable) if optimizer.in_rows else None
            states = tuple(optimizer.has_slot(n, variable) for n in names)
            kind = (variable.dtype, native.device, size, states, *kind)
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
    pairs, together = grouped(optimizer, gradients, variables)
    in_bucket = {i for bucket in together for i in bucket.indices}
    parted = {i for b in optimizer.slots.buckets for i in b.indices}
    alone = []
    for i, (native, gradient) in pairs.items():
        if i in in_bucket:
            continue
        if i in parted:
            gradient = dense(gradient)
            optimizer.step_of_variable(native, gradient, learning_rate, values)
        elif (
            _is_dense(gradient)
            # Two operations are quicker than their way into a compiled pass.
            and (optimizer.slot_names() or _size(native) > SMALL)
            and optimizer.may_compile(i)
        ):
            alone.append(i)
        else:
            optimizer.step_of_variable(native, gradient, learning_rate, values)

    def step(large, norms, small, weights, learning_rate, values):
        for i, gradient, own in zip(alone, large, norms, strict=True):
            optimizer.update_step(
                gradient,
                pairs[i][0],
                learning_rate * optimizer.rate_factors[i],
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

    step = compiled(step, pairs)
    results = step(
        [pairs[i][1] for i in alone],
        [optimizer.norms(i, *pairs[i], norm) for i in alone],
        [joined(pairs[i][1] for i in b.indices) for b in together],
        [joined(pairs[i][0] for i in b.indices) for b in together],
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


def grouped(optimizer, gradients, variables):
    """Variables with their gradients, and the buckets that make a step.

    Args:
        optimizer: The optimizer.
        gradients: The gradients.
        variables: The variables that they belong to.

    Returns:
        A dict: index to a pair of `tf.Variable` and gradient; and the list of
        the buckets of which every variable has a dense gradient.
    """
    pairs = {
        index_of(optimizer, v): (getattr(v, "value", v), g)
        for g, v in zip(gradients, variables, strict=True)
    }
    return pairs, [
        bucket
        for bucket in optimizer.slots.buckets
        if all(_is_dense(pairs.get(i, [None])[-1]) for i in bucket.indices)
    ]


def compiled(function, pairs):
    """A function that TensorFlow's compiler takes as one, within a graph.

    Args:
        function: The function.
        pairs: What `grouped` returned, which must be on one device.

    Returns:
        A function.
    """
    import tensorflow as tf

    devices = {native.device for native, _ in pairs.values()}
    if tf.executing_eagerly() or len(devices) != 1:
        return function
    return tf.function(function, jit_compile=True, autograph=False)


def _step_of_bucket(optimizer, bucket, pairs, gradient, weight, rate, values):
    import tensorflow as tf

    first = bucket.indices[0]
    slots = [None if s is None else s.value for s in bucket.slots]
    step = Step(
        first,
        rate * optimizer.rate_factors[first],
        optimizer.decay_of(pairs[first][0]),
        values,
    )
    if optimizer.in_rows:
        shape = (len(bucket.indices), -1)
        weight, gradient, *slots = (
            None if x is None else tf.reshape(x, shape)
            for x in (weight, gradient, *slots)
        )
        step.indices = bucket.indices
        step.norm = row_norms
        step.norms = optimizer.norms(first, weight, gradient, row_norms)
    value, states = stepped(optimizer, weight, gradient, slots, step)
    for slot, state in zip(bucket.slots, states, strict=True):
        if slot is not None:
            slot.value.assign(tf.reshape(state, [-1]))
    return tf.reshape(value, [-1])


def joined(tensors):
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
