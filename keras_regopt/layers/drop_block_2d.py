from keras_regopt._registry import register
from keras_regopt.layers._drop_block import DropBlock


@register
class DropBlock2D(DropBlock):
    """Drops square blocks of feature maps.

    Neighbouring activations of a convolution are strongly correlated, so
    dropout of single ones removes little information. This layer drops blocks
    of `block_size` times `block_size`, drawn for each feature map of each
    example. The seeds of the blocks are drawn with the probability

        rate / block_size ** 2 * H * W / ((H - block_size + 1) *
                                          (W - block_size + 1))

    where a block fits, so that about the fraction `rate` of the activations is
    lost, a little less where blocks overlap. What remains is scaled up, so
    that the sum over the batch keeps its size. At inference the layer is the
    identity. `DropBlock1D` does so in sequences, `DropBlock3D` in volumes.

    Args:
        rate: Fraction of the activations to drop, in [0, 1). Defaults to
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
        `(batch, channels, height, width)`.

    Output shape:
        As the input.

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

    axes = ("height", "width")
