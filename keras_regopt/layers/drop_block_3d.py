from keras_regopt._registry import register
from keras_regopt.layers._drop_block import DropBlock


@register
class DropBlock3D(DropBlock):
    """Drops cubes of the feature maps of volumes or videos.

    The counterpart of `DropBlock2D` for convolutions along three axes: cubes
    of side `block_size` are dropped, drawn for each feature map of each
    example. A cube begins where it fits with the probability

        rate / block_size ** 3 * D * H * W / ((D - block_size + 1) *
            (H - block_size + 1) * (W - block_size + 1)),

    so that about the fraction `rate` of the activations is lost, a little less
    where cubes overlap. What remains is scaled up, so that the sum over the
    batch keeps its size. At inference the layer is the identity.

    Args:
        rate: Fraction of the activations to drop, in [0, 1). Defaults to
            `0.1`.
        block_size: Side of a cube, at least 1; `1` is dropout. Cubes are no
            larger than the shortest axis. Defaults to `7`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for what
            `keras.config` says. Defaults to `None`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        `(batch, depth, height, width, channels)`, or with `channels_first`
        `(batch, channels, depth, height, width)`.

    Output shape:
        As the input.

    Examples:
        >>> layer = DropBlock3D(rate=0.2, block_size=2, seed=0)
        >>> x = np.ones((2, 8, 8, 8, 4), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> 0.1 < float((y == 0).mean()) < 0.3
        True

    References:
        Ghiasi et al. 2018, DropBlock (arXiv 1810.12890), on three axes.
    """

    axes = ("depth", "height", "width")
