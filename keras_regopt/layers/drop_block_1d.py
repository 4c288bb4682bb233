from keras_regopt._registry import register
from keras_regopt.layers._drop_block import DropBlock


@register
class DropBlock1D(DropBlock):
    """Drops spans of the feature maps of sequences.

    The counterpart of `DropBlock2D` for convolutions along one axis, as over
    audio or sensors: spans of `block_size` steps are dropped, drawn for each
    feature map of each example. A span begins at a step where it fits with the
    probability

        rate / block_size * T / (T - block_size + 1),

    so that about the fraction `rate` of the activations is lost, a little less
    where spans overlap. What remains is scaled up, so that the sum over the
    batch keeps its size. At inference the layer is the identity.

    Args:
        rate: Fraction of the activations to drop, in [0, 1). Defaults to
            `0.1`.
        block_size: Length of a span in steps, at least 1; `1` is dropout.
            Spans are no longer than the sequence. Defaults to `7`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for what
            `keras.config` says. Defaults to `None`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        `(batch, length, channels)`, or with `channels_first`
        `(batch, channels, length)`.

    Output shape:
        As the input.

    Examples:
        >>> layer = DropBlock1D(rate=0.2, block_size=4, seed=0)
        >>> x = np.ones((8, 64, 8), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> 0.1 < float((y == 0).mean()) < 0.3
        True

    References:
        Ghiasi et al. 2018, DropBlock (arXiv 1810.12890), on one axis.
    """

    axes = ("length",)
