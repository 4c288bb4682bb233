from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.functional._color_matrix import (
    apply_color,
    channels_of,
    color_matrix,
    contrast_offset,
    mean_luma,
)


@register
class RandomColor(ImageAugmentation):
    """Changes brightness, contrast, saturation and hue of each image.

    Makes a model bear other light and other cameras. Each image draws its
    four changes; together they are one matrix and one offset for all its
    pixels, so that nothing is clipped in between. With black, the lowest
    value of `value_range`, at 0, the luma `Y = 0.299 R + 0.587 G + 0.114 B`
    of a pixel and `M`, the mean of `Y` over the image:

    - brightness `b`: `value * (1 + b)`;
    - contrast `c`: `M + (value - M) * (1 + c)`;
    - saturation `s`: `Y + (value - Y) * (1 + s)`;
    - hue `h`: the color differences `0.492 (B - Y)` and `0.877 (R - Y)` turn
      by `h` of a full turn; `Y` stays.

    Without clipping in between, all orders of these four give the same, so
    there is none to choose. In the end values are clipped to `value_range`.
    The first three are those of Pillow and torchvision, whose factors are
    larger by 1, up to rounding and to what those clip after each step. The
    hue is not that of HSV: it keeps the luma, where HSV keeps the largest and
    the smallest of the three colors and so makes a blue that was yellow
    darker; of colors close to the bounds, it clips what leaves the range.

    Every change is a number `f`, for the range from `-f` to `f`, about no
    change, or a pair `(lowest, highest)`; 0 switches it off. Of four
    channels, the last stays as it is. Images of any other number of channels
    but 3 have neither saturation nor hue, and all their channels count alike
    for `M`. Labels, boxes and masks do not change.

    Args:
        brightness: From -1, which is black, to 1, twice as bright. Defaults
            to `0.2`.
        contrast: From -1, which leaves the mean luma, to 1. Defaults to
            `0.2`.
        saturation: From -1, which is grey, to 1. Defaults to `0.2`.
        hue: From -0.5 to 0.5 of a full turn; positive from red to yellow to
            green. Defaults to `0.05`.
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image changes at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If a change is out of bounds, or if `value_range` is not
            a pair of two growing numbers.

    Examples:
        >>> layer = RandomColor(brightness=(0.5, 0.5), contrast=0,
        ...                     saturation=0, hue=0)
        >>> image = np.array([[[10, 100, 200]]], "uint8")
        >>> keras.ops.convert_to_numpy(layer(image)).tolist()
        [[[15, 150, 255]]]

    References:
        Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with
        deep convolutional neural networks.
    """

    # `apply_color` goes back to bytes by itself.
    computes_in_floats = False

    def __init__(
        self,
        brightness: float | tuple[float, float] = 0.2,
        contrast: float | tuple[float, float] = 0.2,
        saturation: float | tuple[float, float] = 0.2,
        hue: float | tuple[float, float] = 0.05,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.brightness = factor(self, "brightness", brightness, -1, 1)
        self.contrast = factor(self, "contrast", contrast, -1, 1)
        self.saturation = factor(self, "saturation", saturation, -1, 1)
        self.hue = factor(self, "hue", hue, -0.5, 0.5)
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        draws = self.uniforms(4, shape[0], seed)
        return {
            "brightness": 1 + between(self.brightness, draws[0]),
            "contrast": 1 + between(self.contrast, draws[1]),
            "saturation": 1 + between(self.saturation, draws[2]),
            "hue": between(self.hue, draws[3]),
        }

    def apply(self, inputs, parameters):
        channels = channels_of(inputs)
        matrix = color_matrix(channels, **parameters)
        if self.saturation == self.hue == 0:
            # A factor for each channel is enough.
            matrix = self.ops.diagonal(matrix, axis1=1, axis2=2)
        luma = 0.0
        if self.contrast != 0:
            luma = mean_luma(inputs) - self.value_range[0]
        offset = contrast_offset(
            channels, parameters["brightness"], parameters["contrast"], luma
        )
        return apply_color(inputs, matrix, offset, self.value_range)
