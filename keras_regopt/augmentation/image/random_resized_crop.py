import math

from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, in_range, positive_int
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image.functional import _matrices
from keras_regopt.augmentation.image.functional._resample import resampled
from keras_regopt.augmentation.image.functional._warp import warp

# How often a window is drawn again that does not fit into the image.
TRIES = 10


@register
class RandomResizedCrop(GeometricAugmentation):
    """Shows a random part of each image, at a fixed size.

    The usual augmentation of photographs for classification: it changes
    scale, position and aspect at once, and gives images of different sizes the
    same one. For each image by itself, the area of the part is drawn evenly
    from `scale`, its aspect evenly on a logarithmic scale from `ratio`, and
    its sides are rounded to whole pixels. Parts that do not fit into the image
    are drawn again, up to ten times; after that it is the largest part in the
    middle whose aspect is within `ratio`. Every position of the part within the
    image is equally likely. All this is as in torchvision.

    Masks, bounding boxes and keypoints move along: masks by their nearest
    pixel, boxes are clipped to the part, and one that is not in it becomes
    four zeros with the label -1.

    In inference, and for the images that `rate` spares, it is the largest part
    in the middle that has the aspect of the output.

    Bilinear interpolation mixes four pixels only, so a part that is more than
    about twice as large as the output loses fine detail unevenly (aliasing).
    `antialias=True` averages over all that a pixel of the output covers, as
    Pillow does, and takes several times as long. At the edge of the part,
    pixels next to it are mixed in, where torchvision repeats the outermost.

    Args:
        height: Height of the output in pixels, at least 1.
        width: Width of the output in pixels, at least 1.
        scale: Pair of the smallest and the largest area of the part, as a
            fraction of the area of the image, above 0 and at most 1. Defaults
            to `(0.08, 1.0)`.
        ratio: Pair of the smallest and the largest aspect of the part, its
            width by its height, above 0. Defaults to `(3 / 4, 4 / 3)`.
        interpolation: `"bilinear"`, `"nearest"` or `"bicubic"`. Defaults to
            `"bilinear"`.
        antialias: Whether to average where the image is shrunk; for
            `"bilinear"` alone. Defaults to `False`.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `min_visibility` of boxes, `rate` (the probability that an
            image is cut at random) and `data_format`; see
            `GeometricAugmentation`, whose `fill_mode` has nothing to fill
            here. `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs, with the height and the width of the output.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomResizedCrop(height=2, width=2)
        >>> image = np.arange(24.0).reshape(4, 6, 1)
        >>> layer(image).shape == (2, 2, 1)
        True
        >>> middle = layer(image, training=False)
        >>> keras.ops.convert_to_numpy(middle)[..., 0].tolist()
        [[4.5, 6.5], [16.5, 18.5]]

    References:
        Szegedy et al. 2015, Going deeper with convolutions, section 6.
    """

    acts_in_inference = True

    def __init__(
        self,
        height: int,
        width: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = "bilinear",
        antialias: bool = False,
        bounding_box_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            interpolation=interpolation,
            bounding_box_format=bounding_box_format,
            seed=seed,
            **kwargs,
        )
        self.height = positive_int(self, "height", height)
        self.width = positive_int(self, "width", width)
        self.scale = self._pair("scale", scale, high=1)
        self.ratio = self._pair("ratio", ratio)
        self.antialias = boolean(self, "antialias", antialias)
        if self.antialias and self.interpolation != "bilinear":
            allowed = "False unless `interpolation` is 'bilinear'"
            fail(self, "antialias", allowed, antialias)

    def sample(self, shape, seed):
        ops = self.ops
        batch, height, width, _ = shape
        height = ops.cast(height, "float32")
        width = ops.cast(width, "float32")
        *tries, across, down = self.uniforms(2 * TRIES + 2, batch, seed)
        part_height, part_width, fits = self._part(tries, height, width)
        left, top = (
            ops.where(
                fits,
                # A draw just under 1 may be rounded up.
                ops.minimum(ops.floor(draw * (room + 1)), room),
                ops.floor(room / 2),
            )
            for draw, room in (
                (across, width - part_width),
                (down, height - part_height),
            )
        )
        return {"matrix": self._matrix(left, top, part_height, part_width)}

    def inference_parameters(self, shape):
        ops = self.ops
        batch, height, width, _ = shape
        height = ops.cast(height, "float32") * ops.ones((batch,))
        width = ops.cast(width, "float32") * ops.ones((batch,))
        aspect = self.width / self.height
        part_height = ops.minimum(height, width / aspect)
        part_width = ops.minimum(width, height * aspect)
        left, top = (width - part_width) / 2, (height - part_height) / 2
        return {"matrix": self._matrix(left, top, part_height, part_width)}

    def output_size(self, height, width):
        return self.height, self.width

    def apply(self, inputs, parameters):
        matrix, size = parameters["matrix"], (self.height, self.width)
        if self.antialias:
            return resampled(inputs, matrix, size)
        return warp(inputs, matrix, size, self.interpolation, "nearest")

    def _part(self, tries, height, width):
        """The sides of the first part drawn that fits, or of the default.

        And whether there is one that fits.
        """
        ops = self.ops
        areas, aspects = ops.stack(tries[:TRIES]), ops.stack(tries[TRIES:])
        low, high = self.scale
        areas = height * width * (low + (high - low) * areas)
        low, high = (math.log(ratio) for ratio in self.ratio)
        aspects = ops.exp(low + (high - low) * aspects)
        widths = ops.round(ops.sqrt(areas * aspects))
        heights = ops.round(ops.sqrt(areas / aspects))
        fits = ops.logical_and(
            ops.logical_and(widths > 0, widths <= width),
            ops.logical_and(heights > 0, heights <= height),
        )
        low, high = self.ratio
        part_height = ops.minimum(height, ops.round(width / low))
        part_width = ops.minimum(width, ops.round(height * high))
        for attempt in reversed(range(TRIES)):
            fit = fits[attempt]
            part_height = ops.where(fit, heights[attempt], part_height)
            part_width = ops.where(fit, widths[attempt], part_width)
        return part_height, part_width, ops.any(fits, axis=0)

    def _matrix(self, left, top, part_height, part_width):
        """Stretches the part to the output, edge to edge."""
        a, e = part_width / self.width, part_height / self.height
        c, f = left + (a - 1) / 2, top + (e - 1) / 2
        return _matrices.affine(a, 0.0, c, 0.0, e, f)

    def _pair(self, name, value, high=None):
        """Two numbers that do not fall."""
        allowed = "a pair of two numbers, the smaller one first"
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            fail(self, name, allowed, value)
        pair = tuple(in_range(self, name, v, high=high, above=0) for v in value)
        if pair[0] > pair[1]:
            fail(self, name, allowed, value)
        return pair
