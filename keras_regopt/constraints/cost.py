import math
import re
import typing

import keras

from keras_regopt._validate import fail
from keras_regopt.constraints._graph import Graph

_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_KERNELS = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    *_DEPTHWISE,
)


class Cost(typing.NamedTuple):
    """The size and the operations of a model, as `cost` counts them.

    Args:
        parameters: Number of weights, those that are not trained too.
        size: Bytes of these weights.
        flops: Floating-point operations for one example.
    """

    parameters: int
    size: int
    flops: int

    def __str__(self):
        return (
            f"{self.parameters:,} parameters, {self.size:,} bytes, "
            f"{self.flops:,} FLOPs"
        )


def cost(model: keras.Model) -> Cost:
    """The parameters, bytes and floating-point operations of a model.

    Operations are those of one example in `Dense`, `Conv1D` to `Conv3D`,
    `DepthwiseConv1D` and `DepthwiseConv2D` layers, where nearly all of them
    are; a multiplication and an addition count as one each. What activations
    and other layers do is not counted.

    Args:
        model: A built Sequential or functional model whose input shapes are
            known.

    Returns:
        A `Cost`: `parameters`, `size` in bytes and `flops`.

    Raises:
        ValueError: If `model` is of another kind, or the shape within it is
            open.

    Examples:
        >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
        >>> print(cost(model))
        36 parameters, 144 bytes, 64 FLOPs
    """
    graph = Graph(cost, model)
    flops = 0
    for step in graph.steps:
        if isinstance(step.layer, keras.Model):
            flops += cost(step.layer).flops
        else:
            shape = graph.tensors[step.outputs[0]].shape
            flops += _flops(step.layer, shape)
    sizes = [(math.prod(w.shape), _bytes(w.dtype)) for w in model.weights]
    return Cost(
        sum(count for count, _ in sizes),
        sum(count * each for count, each in sizes),
        flops,
    )


def _flops(layer, shape):
    """The operations of one layer whose output has a shape."""
    if not isinstance(layer, _KERNELS):
        return 0
    if None in shape[1:]:
        fail(
            cost,
            "model",
            "a model whose input shapes are known",
            f"{layer.name} with the output shape {shape}",
        )
    # What one number of the output takes: the kernel has an axis for outputs.
    if isinstance(layer, _DEPTHWISE):
        taken = math.prod(layer.kernel.shape[:-2])
    else:
        taken = math.prod(layer.kernel.shape[:-1])
    return math.prod(shape[1:]) * (2 * taken + int(layer.use_bias) - 1)


def _bytes(dtype):
    bits = re.search(r"\d+", keras.backend.standardize_dtype(dtype))
    # A truth value takes a byte.
    return int(bits.group()) // 8 if bits else 1
