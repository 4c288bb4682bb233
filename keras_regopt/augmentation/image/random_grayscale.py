from keras_regopt._registry import register
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.functional._color_matrix import (
    color_matrix,
    mix_channels,
)


@register
class RandomGrayscale(ImageAugmentation):
    """Takes the color from some images.

    Makes a model look at shapes rather than at colors. Each of the three
    channels becomes the luma of BT.601,
    `0.299 * red + 0.587 * green + 0.114 * blue`, so that the number of
    channels stays. A fourth channel stays as it is, and so do images of any
    other number of channels. Labels, boxes and masks do not change.

    Args:
        rate: Probability that an image turns grey, from 0 to 1. Defaults to
            `0.1`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `rate` is out of bounds.

    Examples:
        >>> layer = RandomGrayscale(rate=1.0)
        >>> red = np.array([[[100, 0, 0]]], "uint8")
        >>> keras.ops.convert_to_numpy(layer(red)).tolist()
        [[[30, 30, 30]]]

    References:
        Chen, Kornblith, Norouzi and Hinton 2020, A simple framework for
        contrastive learning of visual representations.
    """

    def __init__(self, rate: float = 0.1, *, seed: int | None = None, **kwargs):
        super().__init__(rate=rate, seed=seed, **kwargs)

    def sample(self, shape, seed):
        batch, channels = shape[0], shape[-1]
        # The same for all, but compilers are slower at multiplying by
        # constants, since they do so channel by channel.
        known = channels if isinstance(channels, int) else 3
        saturation = self.ops.zeros((batch,), dtype="float32")
        return {"matrix": color_matrix(known, saturation=saturation)}

    def apply(self, inputs, parameters):
        return mix_channels(inputs, parameters["matrix"])
