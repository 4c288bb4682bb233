"""How the channels of a tensor pass through the layers, for `shrink`.

A channel is an entry of the axis on which a layer has its units or filters.
For each kind of layer, this defines which channels are constant after it, and
which channels of its inputs and of its output are the same.
"""

import typing

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import REST_IN_INFERENCE


class Channels(typing.NamedTuple):
    """The channels of a tensor, and their values where these are constant.

    Args:
        axis: The axis of the channels, with the batch as axis 0.
        values: An array with the value of each channel that is the same for
            all inputs and positions, NaN for the others.
    """

    axis: int
    values: np.ndarray


# Each entry of the output depends on all entries of the input.
_MIXING_ACTIVATIONS = ("softmax", "log_softmax", "sparsemax", "glu")

_UNCHANGED = (
    *REST_IN_INFERENCE,
    keras.layers.Identity,
)
_WINDOWED = (
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.MaxPooling3D,
    keras.layers.AveragePooling1D,
    keras.layers.AveragePooling2D,
    keras.layers.AveragePooling3D,
    keras.layers.UpSampling1D,
    keras.layers.UpSampling2D,
    keras.layers.UpSampling3D,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.Cropping3D,
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling3D,
    keras.layers.GlobalMaxPooling1D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalMaxPooling3D,
)
_PADDING = (
    keras.layers.ZeroPadding1D,
    keras.layers.ZeroPadding2D,
    keras.layers.ZeroPadding3D,
)
_POINTWISE = (
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
)
_MERGING = {
    keras.layers.Add: np.sum,
    keras.layers.Average: np.mean,
    keras.layers.Maximum: np.max,
    keras.layers.Minimum: np.min,
    keras.layers.Multiply: np.prod,
}
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
)


def numbers(variable):
    """A variable's value as an array, half precision as float32."""
    if keras.backend.standardize_dtype(variable.dtype) in (
        "bfloat16",
        "float16",
    ):
        variable = ops.cast(variable, "float32")
    return ops.convert_to_numpy(variable)


def is_mixing(layer):
    """Whether the layer has a kernel from all input to all output channels."""
    if type(layer) is keras.layers.Dense:
        return getattr(layer, "lora_enabled", False) is False
    return type(layer) in _CONVOLUTIONS and layer.groups == 1


def channel_axis(layer, rank):
    """The axis of the channels for a layer that has a kernel."""
    first = getattr(layer, "data_format", None) == "channels_first"
    return 1 if first else rank - 1


def kernel_matrix(layer, tolerance=0.0):
    """The kernel as `(positions, inputs, outputs)`, in double precision.

    Args:
        layer: A layer for which `is_mixing`.
        tolerance: Norm up to which the incoming weights of an output count as
            zero.
    """
    kernel = numbers(layer.kernel).astype("float64")
    kernel = kernel.reshape(-1, *kernel.shape[-2:])
    norms = np.sqrt(np.square(kernel).sum((0, 1)))
    return np.where(norms <= tolerance, 0.0, kernel)


def has_zero_units(layer, tolerance):
    """Whether all incoming weights of some unit of the layer are zero."""
    if not is_mixing(layer) or not layer.built:
        return False
    return bool(np.any(~np.any(kernel_matrix(layer, tolerance), axis=(0, 1))))


def folds(layer):
    """Whether the layer's bias can absorb the effect of a constant channel.

    A padded convolution sees less of the constant along the border.
    """
    if not layer.use_bias:
        return False
    return not isinstance(layer, _CONVOLUTIONS) or layer.padding == "valid"


def mixed(layer, inputs, rank, tolerance):
    """The output channels of a layer with a kernel.

    Args:
        layer: A layer for which `is_mixing`.
        inputs: The `Channels` of its input, or `None`.
        rank: The rank of its output.
        tolerance: See `kernel_matrix`.

    Returns:
        The `Channels` of its output, or `None` if its activation mixes them.
    """
    if not is_pointwise(layer.activation):
        return None
    kernel = kernel_matrix(layer, tolerance)
    known = (
        np.full(kernel.shape[1], np.nan) if inputs is None else inputs.values
    )
    usable = known == 0
    if folds(layer):
        usable |= ~np.isnan(known)
    fixed = ~np.any(kernel[:, ~usable], axis=(0, 1))
    values = np.einsum("pio,i->o", kernel, np.where(usable, known, 0.0))
    if layer.use_bias:
        values = values + ops.convert_to_numpy(ops.cast(layer.bias, "float32"))
    values = _pointwise(layer.activation, np.where(fixed, values, np.nan))
    return Channels(channel_axis(layer, rank), values)


def is_pointwise(activation):
    """Whether an activation is one of Keras' that act on each number alone."""
    name = getattr(activation, "__name__", "")
    return (
        getattr(keras.activations, name, None) is activation
        and name not in _MIXING_ACTIVATIONS
    )


def passed(layer, inputs, shapes, shape):
    """The output channels of a layer that mixes none.

    Args:
        layer: The layer.
        inputs: The `Channels` of its inputs, a list.
        shapes: The shapes of its inputs, batch included.
        shape: The shape of its output.

    Returns:
        The `Channels` of its output, and its links: for each input, an array of
        channels of the input and one of the output channels that they are.
        `None` if the layer mixes channels, or is not known.
    """
    axis, rank = inputs[0].axis, len(shape)
    if any(g.axis != axis for g in inputs):
        return None
    if type(layer) is keras.layers.Concatenate:
        if axis != layer.axis % rank:
            return None
        ends = np.cumsum([len(g.values) for g in inputs])
        links = [
            (np.arange(len(g.values)), np.arange(end - len(g.values), end))
            for g, end in zip(inputs, ends, strict=True)
        ]
        values = np.concatenate([g.values for g in inputs])
        return Channels(axis, values), links
    if type(layer) is keras.layers.Flatten:
        channels = _flattened(layer, axis, shapes[0])
        values = inputs[0].values[channels]
        return Channels(1, values), [(channels, np.arange(len(channels)))]
    if type(layer) in _DEPTHWISE:
        return _depthwise(layer, inputs[0], rank)
    count = len(inputs[0].values)
    links = [(np.arange(count), np.arange(count))] * len(inputs)
    if type(layer) in _MERGING:
        # Where shapes differ, one input is repeated along an axis.
        if len(set(map(tuple, shapes))) > 1:
            return None
        values = np.stack([g.values for g in inputs])
        return Channels(axis, _MERGING[type(layer)](values, axis=0)), links
    values = _passed_values(layer, inputs[0].values, axis, len(shapes[0]))
    if values is None:
        return None
    return Channels(min(axis, rank - 1), values), links


def is_depthwise(layer):
    """Whether the layer has a kernel for each input channel by itself."""
    return type(layer) in _DEPTHWISE


def _depthwise(layer, inputs, rank):
    """As `passed`: each input channel becomes one output channel, or more."""
    if inputs.axis != channel_axis(layer, rank):
        return None
    if not is_pointwise(layer.activation):
        return None
    count = len(inputs.values)
    # The output channels of one input channel lie side by side.
    source = np.repeat(np.arange(count), layer.depth_multiplier)
    sums = numbers(layer.kernel).reshape(-1, len(source)).sum(0)
    known = inputs.values[source]
    # With a border of zeros, a constant is none behind the layer.
    usable = (known == 0) | (~np.isnan(known) & (layer.padding == "valid"))
    values = np.where(usable, sums * np.nan_to_num(known), np.nan)
    if layer.use_bias:
        values = values + numbers(layer.bias)
    values = _pointwise(layer.activation, values)
    return Channels(inputs.axis, values), [(source, np.arange(len(source)))]


def _passed_values(layer, values, axis, rank):
    """The values of the channels behind a layer with one input."""
    kind = type(layer)
    if kind is keras.layers.BatchNormalization:
        same = layer.axis % rank == axis
        return _normalized(layer, values) if same else None
    if kind is keras.layers.Activation and is_pointwise(layer.activation):
        return _pointwise(layer.activation, values)
    if kind in _POINTWISE:
        return _pointwise(layer, values)
    if kind in _UNCHANGED or getattr(layer, "passes_channels", False):
        return values
    if kind in _WINDOWED and axis == channel_axis(layer, rank):
        return values
    if kind in _PADDING and axis == channel_axis(layer, rank):
        return np.where(values == 0, 0.0, np.nan)
    return None


def _flattened(layer, axis, shape):
    """Which channel each entry of the flattened tensor belongs to."""
    shape = shape[1:]
    along_axis = [1] * len(shape)
    along_axis[axis - 1] = shape[axis - 1]
    channels = np.arange(shape[axis - 1]).reshape(along_axis)
    channels = np.broadcast_to(channels, shape)
    if layer.data_format == "channels_first" and len(shape) > 1:
        channels = np.moveaxis(channels, 0, -1)
    return channels.reshape(-1)


def _normalized(layer, values):
    scale = 1 / np.sqrt(numbers(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        scale = scale * numbers(layer.gamma)
    values = (values - numbers(layer.moving_mean)) * scale
    return values + numbers(layer.beta) if layer.center else values


def _pointwise(function, values):
    known = ~np.isnan(values)
    inputs = np.where(known, values, 0.0).astype("float32")
    outputs = ops.convert_to_numpy(function(ops.convert_to_tensor(inputs)))
    return np.where(known, outputs, np.nan)
