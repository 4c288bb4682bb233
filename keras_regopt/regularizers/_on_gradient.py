"""State that is updated in the steps of training alone.

A penalty is computed in training, in evaluation, and whenever somebody asks
for `model.losses`. Only in training is its gradient taken.
"""

import functools

import keras


def assign_on_gradient(penalty, variable, value):
    """Assigns a new value to a variable if a penalty's gradient is taken.

    Args:
        penalty: A tensor.
        variable: The `keras.Variable`.
        value: Its new value, a tensor.

    Returns:
        The same penalty, which must be used instead of the old one.
    """
    return _IMPLEMENTATIONS[keras.backend.backend()](penalty, variable, value)


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


_IMPLEMENTATIONS = {
    "tensorflow": _on_tensorflow,
    "torch": _on_torch,
    "jax": _on_jax,
}
