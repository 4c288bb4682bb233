import math

import keras
from keras import ops

from keras_regopt import _validate
from keras_regopt._validate import in_range, positive_int
from keras_regopt.layers._base import Layer
from keras_regopt.layers._sampling import check_floats, uniforms


class DropBlock(Layer):
    """Base of `DropBlock1D`, `DropBlock2D` and `DropBlock3D`.

    A subclass names its `axes`, those that a block extends along.

    Args:
        rate: Fraction of the activations to drop, in [0, 1). Defaults to
            `0.1`.
        block_size: Side of a block, at least 1. Defaults to `7`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for what
            `keras.config` says. Defaults to `None`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.
    """

    axes: tuple[str, ...] = ()
    passes_channels = True

    def __init__(
        self,
        rate: float = 0.1,
        block_size: int = 7,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.block_size = positive_int(self, "block_size", block_size)
        self.data_format = _validate.data_format(self, data_format)
        self._take_seed(seed)
        self.input_spec = keras.layers.InputSpec(ndim=2 + len(self.axes))
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        check_floats(self, inputs.dtype)
        mask = ops.cast(ops.logical_not(self._dropped(inputs)), "float32")
        count = ops.cast(ops.size(mask), "float32")
        scale = count / ops.maximum(ops.sum(mask), 1.0)
        return inputs * ops.cast(mask * scale, inputs.dtype)

    def _dropped(self, inputs):
        """True in the blocks."""
        # Numbers, or tensors in a graph that takes any size.
        shape = ops.shape(inputs)
        sizes = self._sizes(shape)
        known = [size for size in sizes if isinstance(size, int)]
        block = min([self.block_size, *known])
        positions = [
            size - block + 1
            if isinstance(size, int)
            else ops.maximum(size - block + 1, 1)
            for size in sizes
        ]
        probability = self.rate * math.prod(
            _ratio(size, block * count)
            for size, count in zip(sizes, positions, strict=True)
        )
        channels = shape[-1 if self._channels_last else 1]
        seeds = uniforms(self, (shape[0], *positions, channels))
        # A seed is the first corner of its block.
        margins = [(block - 1, block - 1)] * len(sizes)
        dropped = ops.pad(
            ops.less(seeds, probability), [(0, 0), *margins, (0, 0)]
        )
        for axis in range(1, 1 + len(sizes)):
            dropped = _any_of_the_last(dropped, block, axis)
            if not isinstance(sizes[axis - 1], int):
                # The axis may be shorter than a block.
                dropped = _slice(dropped, axis, None, sizes[axis - 1])
        if self._channels_last:
            return dropped
        return ops.moveaxis(dropped, -1, 1)

    @property
    def _channels_last(self):
        return self.data_format == "channels_last"

    def _sizes(self, shape):
        return tuple(shape[1:-1] if self._channels_last else shape[2:])

    def compute_output_shape(self, input_shape):
        return input_shape


def _ratio(size, divisor):
    if isinstance(size, int):
        return size / divisor
    return ops.cast(size, "float32") / ops.cast(divisor, "float32")


def _any_of_the_last(x, count, axis):
    """Whether any of `count` neighbors along an axis is true.

    Each pass doubles the reach. On a CPU this is much faster than pooling.
    """
    reach = 1
    while reach < count:
        step = min(reach, count - reach)
        x = ops.logical_or(
            _slice(x, axis, None, -step), _slice(x, axis, step, None)
        )
        reach += step
    return x


def _slice(x, axis, start, stop):
    return x[(slice(None),) * axis + (slice(start, stop),)]
