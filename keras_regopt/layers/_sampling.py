"""Random numbers and masks of the layers."""

import keras
from keras import ops

from keras_regopt import _elementwise
from keras_regopt._axes import axes, axes_within
from keras_regopt._hyper_parameter import is_tuned
from keras_regopt._random import next_key
from keras_regopt._validate import fail

# Of relaxed masks, as in `ConcreteDropout`.
TEMPERATURE = 0.1


def uniforms(layer, shape):
    """Float32 numbers from 0 to 1, whatever precision a layer computes in."""
    return _elementwise.uniforms(next_key(layer.seed_generator), shape)


def logistics(layer, shape):
    """The logarithms of the odds of such numbers, as a float32 tensor."""
    return _elementwise.logistics(next_key(layer.seed_generator), shape)


def check_floats(layer, dtype):
    """Refuses integers: what is drawn would be cut off to one of them."""
    dtype = keras.backend.standardize_dtype(dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise TypeError(
            f"The inputs of {type(layer).__name__} must be floats. Received: "
            f"dtype={dtype}. Cast them before, as by `x.astype('float32')`."
        )


def dropped(layer, x):
    """Dropout of single elements: zero with the probability `layer.rate`.

    The others are scaled up, so that the mean stays.
    """
    check_floats(layer, x.dtype)
    if is_tuned(layer.rate):
        rate = layer.rate()
        logit = ops.log(rate) - ops.log(1 - rate)
        factors = concrete_factors(layer, ops.shape(x), logit, TEMPERATURE)
        return x * ops.cast(factors, x.dtype)
    return _elementwise.dropped(x, next_key(layer.seed_generator), layer.rate)


def concrete_factors(layer, shape, logit, temperature):
    """A relaxed dropout mask, through which a gradient reaches the rate.

    Args:
        layer: The layer, with its generator.
        shape: Shape of the mask.
        logit: The logarithm of the odds of a drop, a scalar tensor.
        temperature: Smoothness of the relaxation, a number > 0.

    Returns:
        A tensor of factors, in the dtype of the logit.
    """
    noise = ops.cast(logistics(layer, shape), logit.dtype)
    # `1 - drop`, without cancellation.
    mask = ops.sigmoid(-(logit + noise) / temperature)
    return mask / ops.sigmoid(-logit)


def masked(layer, x, noise_shape):
    """A tensor times a dropout mask of another shape, which is broadcast.

    Args:
        layer: The layer, with its `rate` and its generator.
        x: A tensor of floats.
        noise_shape: Shape of the mask, with `None` for sizes of the tensor's,
            or `None`.

    Returns:
        A tensor like `x`; other elements are scaled up, so that the mean stays.
    """
    shape = full_shape(layer, x, noise_shape)
    if shape is None:
        return dropped(layer, x)
    return x * dropout_factors(layer, shape, x.dtype)


def full_shape(layer, x, noise_shape):
    """The shape of a mask, or `None` where it is that of the tensor."""
    if noise_shape is None:
        return None
    fits = len(noise_shape) == len(x.shape) and all(
        size in (None, 1) or not isinstance(own, int) or own == size
        for size, own in zip(noise_shape, x.shape, strict=True)
    )
    if not fits:
        allowed = f"1, None or the size itself along each axis of {x.shape}"
        fail(layer, "noise_shape", allowed, tuple(noise_shape))
    if all(size is None for size in noise_shape):
        return None
    sizes = zip(noise_shape, ops.shape(x), strict=True)
    return tuple(own if size is None else size for size, own in sizes)


def dropout_factors(layer, shape, dtype):
    """Factors that are zero with probability `layer.rate`, and 1 on average."""
    return dropped(layer, ops.ones(shape, dtype=dtype))


def mask_axes(owner, axis, optional=False):
    """The argument `axis` of a layer: axes along which a mask is the same.

    Args:
        owner: The layer under construction.
        axis: An axis, or a list of axes.
        optional: Whether `None` passes, for no axis.

    Returns:
        The axis, or a list of the axes.

    Raises:
        ValueError: If it is anything else, or the axis of the batch.
    """
    if axis is None and optional:
        return None
    if axis == 0 or (isinstance(axis, (list, tuple)) and 0 in axis):
        allowed = (
            "an axis other than 0, which is the batch's, or a list of axes"
        )
        fail(owner, "axis", allowed, axis)
    return axes(owner, "axis", axis)


def mask_shape(layer, inputs):
    """The shape of a mask that is the same along a layer's `axis`.

    Args:
        layer: The layer, whose `axis` came from `mask_axes`.
        inputs: The tensor to mask.

    Returns:
        A tuple of integers and, where a size is not known, tensors.

    Raises:
        ValueError: If the inputs have no such axis, or it is the batch's.
    """
    shape = list(ops.shape(inputs))
    if layer.axis is not None:
        for axis in axes_within(
            layer, "axis", layer.axis, inputs.shape, first=1
        ):
            shape[axis] = 1
    return tuple(shape)
