"""A map over the elements of a batch, with a function chosen for each.

In a compiled program this is a loop over the elements with a switch in it, so
that an element costs what the functions chosen for it cost, not what all of
them do. XLA has no trouble with that: on a CPU a turn of the loop takes about
a microsecond. A GPU would rather compute whole batches; there the loop is
slow, but right.
"""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_tf_graph, is_in_jax_tracing_scope


def switch_map(data, choices, functions, parameters, output=None):
    """Puts each element through the functions that are chosen for it.

    Args:
        data: Tensor of shape `(batch, ...)`.
        choices: Integer tensor of shape `(batch, steps)`: which functions an
            element goes through, one after the other.
        functions: List of functions of a part of `data` and of the same part
            of `parameters`, both still with a batch axis. They must return
            equal shapes and dtypes and, where there is more than one step,
            those of their inputs.
        parameters: Structure of tensors of shape `(batch, steps, ...)`. Its
            `None`s are handed on.
        output: The shape, without batch axis, and the dtype of what the
            functions return. Defaults to `None`: those of `data`.

    Returns:
        A tensor with the batch axis of `data`.
    """
    if in_tf_graph() and not is_in_jax_tracing_scope():
        return _looped_by_tensorflow(
            data, choices, functions, parameters, output
        )
    if keras.backend.backend() == "jax":
        return _looped_by_jax(data, choices, functions, parameters)
    for step in range(choices.shape[1]):
        part = _mapped(lambda p, step=step: p[:, step], parameters)
        data = _grouped(data, choices[:, step], functions, part)
    return data


def _looped_by_tensorflow(data, choices, functions, parameters, output):
    import tensorflow as tf

    shape, dtype = output or (data.shape[1:], data.dtype)
    steps = choices.shape[1]
    tensors, packed = _unpacked(parameters)

    def one(arguments):
        element, chosen, *values = arguments

        def turn(step, element):
            part = packed([v[step][None] for v in values])
            element = tf.switch_case(
                chosen[step], _branches(functions, element[None], part)
            )
            # The loop asks for a shape as well known as it was.
            return step + 1, tf.ensure_shape(element[0], shape)

        if steps == 1:
            return turn(0, element)[1]
        state = (0, tf.ensure_shape(element, shape))
        return tf.while_loop(
            lambda step, element: step < steps,
            turn,
            state,
            maximum_iterations=steps,
        )[1]

    return tf.map_fn(
        one,
        (data, tf.cast(choices, "int32"), *tensors),
        fn_output_signature=tf.TensorSpec(shape, dtype),
    )


def _looped_by_jax(data, choices, functions, parameters):
    import jax

    tensors, packed = _unpacked(parameters)

    def one(arguments):
        element, chosen, *values = arguments

        def turn(step, element):
            part = packed([v[step][None] for v in values])
            return jax.lax.switch(
                chosen[step], _branches(functions, element, part)
            )

        if choices.shape[1] == 1:
            return turn(0, element[None])[0]
        return jax.lax.fori_loop(0, choices.shape[1], turn, element[None])[0]

    return jax.lax.map(one, (data, choices, *tensors))


def _grouped(data, choices, functions, parameters):
    """Without a compiler: all elements of one function at once."""
    choices = keras.ops.convert_to_numpy(choices)
    groups, results = [], []
    for number in np.unique(choices):
        rows = np.flatnonzero(choices == number).astype("int32")
        part = _mapped(
            lambda p, rows=rows: ops.take(p, rows, axis=0), parameters
        )
        groups.append(rows)
        results.append(functions[number](ops.take(data, rows, axis=0), part))
    order = np.argsort(np.concatenate(groups)).astype("int32")
    return ops.take(ops.concatenate(results, axis=0), order, axis=0)


def _branches(functions, element, part):
    return [lambda f=function: f(element, part) for function in functions]


def _mapped(function, parameters):
    return keras.tree.map_structure(
        lambda p: None if p is None else function(p), parameters
    )


def _unpacked(parameters):
    """The tensors of a structure, and a function that packs such again."""
    leaves = keras.tree.flatten(parameters)

    def packed(tensors):
        tensors = iter(tensors)
        return keras.tree.pack_sequence_as(
            parameters, [None if x is None else next(tensors) for x in leaves]
        )

    return [x for x in leaves if x is not None], packed
