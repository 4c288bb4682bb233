"""State that moves with the steps of training, and with nothing else.

A penalty is computed in training, in evaluation, and whenever somebody asks
for `model.losses`. Only in training is its gradient taken.
"""

import functools

import keras


def assign_on_gradient(penalty, variable, value):
    """Gives a variable a new value if the gradient of a penalty is taken.

    Args:
        penalty: A tensor.
        variable: The `keras.Variable`.
        value: Its new value, a tensor.

    Returns:
        The same penalty, which must be used in the place of the old one.
    """
    return _ways[keras.backend.backend()](penalty, variable, value)


def _on_tensorflow(penalty, variable, value):
    import tensorflow as tf

    value = tf.stop_gradient(value)

    @tf.custom_gradient
    def identity(x):
        def gradient(upstream):
            variable.assign(value)
            return upstream

        return tf.identity(x), gradient

    return identity(penalty)


def _on_torch(penalty, variable, value):
    def assign(slope):
        variable.assign(value)

    if penalty.requires_grad:
        value = value.detach()
        penalty.register_hook(assign)
    return penalty


def _on_jax(penalty, variable, value):
    # JAX has no side effects: whether there is a gradient shows in a value.
    variable.assign(_if_differentiated()(penalty, variable.value, value))
    return penalty


@functools.cache
def _if_differentiated():
    """Function of `(x, old, new)`: `new` where `x` is differentiated."""
    import jax

    chosen = jax.custom_vjp(lambda x, old, new: old)
    chosen.defvjp(
        lambda x, old, new: (new, None), lambda _, slope: (None, None, None)
    )
    return chosen


_ways = {
    "tensorflow": _on_tensorflow,
    "torch": _on_torch,
    "jax": _on_jax,
}
