import keras
from keras import ops

from keras_regopt import _validate
from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer, positive_int
from keras_regopt.layers._base import Layer


@register
class DropBlock2D(Layer):
    """Drops square blocks of feature maps.

    Neighbouring activations of a convolution tell nearly the same, so dropout
    of single ones takes little away. This layer drops blocks of `block_size`
    times `block_size`, on every feature map of every example anew. The seeds
    of the blocks are drawn with the probability

        rate / block_size ** 2 * H * W / ((H - block_size + 1) *
                                          (W - block_size + 1))

    where a block fits, so that about the part `rate` of the activations is
    lost, somewhat less where blocks overlap. What remains is scaled up, so
    that the sum over the batch keeps its size. At inference the layer is the
    identity.

    Args:
        rate: The part of the activations to drop, in [0, 1). Defaults to
            `0.1`.
        block_size: Side of a block in pixels of the feature map, at least 1;
            `1` is dropout. Blocks are no larger than the feature map. Defaults
            to `7`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for what
            `keras.config` says. Defaults to `None`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, or with `channels_first`
        `(batch, channels, height, width)`; height and width must be known.

    Output shape:
        As the input.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> layer = DropBlock2D(rate=0.2, block_size=3, seed=0)
        >>> x = np.ones((2, 16, 16, 8), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> 0.1 < float((y == 0).mean()) < 0.3
        True

    References:
        Ghiasi et al. 2018, DropBlock (arXiv 1810.12890), with a mask for every
        feature map, as the paper recommends.
    """

    def __init__(
        self, rate=0.1, block_size=7, data_format=None, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.block_size = positive_int(self, "block_size", block_size)
        self.data_format = _validate.data_format(self, data_format)
        self.seed = integer(self, "seed", seed, low=0, optional=True)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.supports_masking = True

    def build(self, input_shape):
        if None in self._height_and_width(input_shape):
            raise ValueError(
                "DropBlock2D needs the height and the width of its input. "
                f"Received: input_shape={tuple(input_shape)}"
            )

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        kept = self._kept(inputs)
        count = ops.cast(ops.size(kept), "float32")
        scale = count / ops.maximum(ops.sum(kept), 1.0)
        return inputs * ops.cast(kept * scale, inputs.dtype)

    def _kept(self, inputs):
        """Ones where activations stay, zeros in the blocks, as float32."""
        height, width = self._height_and_width(inputs.shape)
        channels = inputs.shape[-1 if self._channels_last else 1]
        size = min(self.block_size, height, width)
        rows, columns = height - size + 1, width - size + 1
        probability = self.rate / size**2 * (height * width) / (rows * columns)
        seeds = keras.random.uniform(
            (ops.shape(inputs)[0], rows, columns, channels),
            seed=self.seed_generator,
        )
        seeds = ops.cast(seeds < probability, "float32")
        # A seed is the upper left corner of its block.
        margin = (size - 1, size - 1)
        seeds = ops.pad(seeds, ((0, 0), margin, margin, (0, 0)))
        dropped = ops.max_pool(
            seeds, size, strides=1, data_format="channels_last"
        )
        if not self._channels_last:
            dropped = ops.transpose(dropped, (0, 3, 1, 2))
        return 1 - dropped

    @property
    def _channels_last(self):
        return self.data_format == "channels_last"

    def _height_and_width(self, shape):
        return tuple(shape[1:3] if self._channels_last else shape[2:4])

    def compute_output_shape(self, input_shape):
        return input_shape
