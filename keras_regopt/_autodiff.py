"""Gradients on the three backends."""

import keras


def pullback(function, inputs, *, twice=True):
    """A function's value, and the way back from it to the inputs.

    Args:
        function: Function of a list of tensors that returns one tensor.
        inputs: List of float tensors.
        twice: Whether the gradients will be differentiated again, which torch
            has to know.

    Returns:
        The value, and a function of a tensor of its shape that returns the
        gradients of their inner product by the inputs, as a list.
    """
    return _PULLBACKS[keras.backend.backend()](function, inputs, twice)


def _tensorflow(function, inputs, twice):
    import tensorflow as tf

    inputs = [tf.convert_to_tensor(x) for x in inputs]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        value = function(inputs)

    def pull(vector):
        slopes = tape.gradient(
            value,
            inputs,
            output_gradients=vector,
            unconnected_gradients="zero",
        )
        # Those of embeddings come as rows.
        slopes = [tf.convert_to_tensor(slope) for slope in slopes]
        for x, slope in zip(inputs, slopes, strict=True):
            # Some gradients forget it.
            slope.set_shape(x.shape)
        return slopes

    return value, pull


def _jax(function, inputs, twice):
    import jax

    value, pull = jax.vjp(function, list(inputs))
    return value, lambda vector: pull(vector)[0]


def _torch(function, inputs, twice):
    import torch

    inputs = [x.detach().requires_grad_(True) for x in inputs]
    value = function(inputs)

    def pull(vector):
        if not value.requires_grad:
            return [torch.zeros_like(x) for x in inputs]
        slopes = torch.autograd.grad(
            value,
            inputs,
            grad_outputs=vector,
            create_graph=twice,
            retain_graph=True,
            allow_unused=True,
        )
        return [
            torch.zeros_like(x) if slope is None else slope
            for x, slope in zip(inputs, slopes, strict=True)
        ]

    return value, pull


_PULLBACKS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def gradients_of(function, variables, *, zeros=False):
    """The gradients of a loss by variables, on TensorFlow and torch.

    JAX differentiates functions of values: there, see `jax.value_and_grad`.

    Args:
        function: Function without arguments that returns the loss and
            anything else.
        variables: List of Keras variables.
        zeros: Whether a gradient is zero, not `None`, for a variable that the
            loss does not depend on. Defaults to `False`.

    Returns:
        A list of gradients, and what else the function returned.
    """
    values = [variable.value for variable in variables]
    if keras.backend.backend() == "torch":
        import torch

        with torch.enable_grad():
            loss, rest = function()
        slopes = torch.autograd.grad(
            loss, values, allow_unused=True, materialize_grads=zeros
        )
        return list(slopes), rest

    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss, rest = function()
    slopes = tape.gradient(
        loss, values, unconnected_gradients="zero" if zeros else "none"
    )
    return slopes, rest


def gradients_within(function, inputs):
    """Gradients that may be differentiated again, of whatever depends on them.

    Args:
        function: Function of a list of tensors that returns a scalar tensor
            and anything else.
        inputs: List of float tensors, which may depend on others by which an
            outer call differentiates.

    Returns:
        A list of gradients, the scalar, and what else the function returned.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        differentiated = jax.value_and_grad(function, has_aux=True)
        (value, rest), slopes = differentiated(list(inputs))
        return slopes, value, rest
    if backend == "torch":
        return _torch_within(function, inputs)

    import tensorflow as tf

    inputs = [tf.convert_to_tensor(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value, rest = function(inputs)
    slopes = tape.gradient(value, inputs, unconnected_gradients="zero")
    return slopes, value, rest


def _torch_within(function, inputs):
    import torch

    with torch.enable_grad():
        # One that depends on others keeps its graph.
        inputs = [
            x if x.requires_grad else x.detach().requires_grad_(True)
            for x in inputs
        ]
        value, rest = function(inputs)
        if not value.requires_grad:
            return [torch.zeros_like(x) for x in inputs], value, rest
        slopes = torch.autograd.grad(
            value,
            inputs,
            create_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
    return list(slopes), value, rest
