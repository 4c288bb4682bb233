from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image.functional import _matrices


@register
class RandomPerspective(GeometricAugmentation):
    """Shows each image as if seen from another point.

    Each of the four corners of an image moves by itself, in either direction
    along both axes, and the rest follows as a flat picture in space would.
    Masks, bounding boxes and keypoints move along: a box becomes the smallest
    upright box around its moved corners, clipped to the image.

    Use it for signs, documents, fronts of buildings and whatever else is flat
    and photographed from all sides; for other photographs together with a
    `RandomAffine`.

    A corner of an image of height `h` and width `w` moves by `u * scale * w`
    and `v * scale * h`, where `u` and `v` are drawn evenly from -0.5 to 0.5.
    The map that does so is `x, y -> (a x + b y + c) / (g x + h y + 1),
    (d x + e y + f) / (g x + h y + 1)`.

    Args:
        scale: How far a corner moves at most along each axis, twice, as a
            fraction of the width and of the height, from 0 to 0.5: with `0.5`
            by a quarter of the image, beyond which an image could be folded.
            The unit is that of the argument `scale` of Keras. Defaults to
            `0.3`.
        fill_mode: What is seen beyond the edge; see `RandomAffine`.
            Defaults to `"constant"`.
        fill_value: Value of the pixels that `"constant"` fills in, in the
            units of the images; masks get `mask_fill_value`. Defaults to
            `0.0`.
        interpolation: `"bilinear"`, `"nearest"` or `"bicubic"`. Defaults to
            `"bilinear"`.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `min_visibility` (the fraction of the area of a moved box,
            from 0 to 1, that must be left within the image, or else the box is
            dropped; 0.0 by default), `mask_fill_value` (the class of
            the pixels of masks that `"constant"` fills in; 0 by default),
            `rate` (the probability that an image is moved at all, which Keras
            calls `factor`) and `data_format`, and `name` and `dtype` of a
            Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomPerspective(scale=0.4, seed=1)
        >>> seen = keras.ops.convert_to_numpy(layer(np.ones((1, 8, 8, 1))))
        >>> seen.shape, bool(seen.max() < 1.001)
        ((1, 8, 8, 1), True)

    References:
        Heckbert 1989, Fundamentals of texture mapping and image warping.
    """

    is_projective = True

    def __init__(
        self,
        *,
        scale: float = 0.3,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        interpolation: str = "bilinear",
        bounding_box_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode=fill_mode,
            fill_value=fill_value,
            interpolation=interpolation,
            bounding_box_format=bounding_box_format,
            seed=seed,
            **kwargs,
        )
        self.scale = in_range(
            self,
            "scale",
            scale,
            0,
            0.5,
            remedy="The probability that an image changes is `rate`.",
        )

    def sample(self, shape, seed):
        batch, height, width, _ = shape
        draws = self.uniforms(8, batch, seed)
        shifts = [self.scale * (draw - 0.5) for draw in draws]
        square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
        corners = [
            (x + shifts[2 * i], y + shifts[2 * i + 1])
            for i, (x, y) in enumerate(square)
        ]
        there = _from_square(corners)
        # From pixels, counted from the center of the first, to the square.
        width = self.ops.cast(width, "float32")
        height = self.ops.cast(height, "float32")
        like = self.ops.zeros_like(draws[0])
        into = _matrices.affine(
            1 / width + like, 0.0, 0.5 / width, 0.0, 1 / height, 0.5 / height
        )
        back = _matrices.affine(width + like, 0.0, -0.5, 0.0, height, -0.5)
        matrix = _matrices.composed(back, _matrices.inverted(there), into)
        return {"matrix": matrix}


def _from_square(corners):
    """The matrix from the unit square to four corners, in its order.

    With `(0, 0)` at the first corner, the eight equations come down to two
    for the last row.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    dx1, dx2, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    determinant = dx1 * dy2 - dx2 * dy1
    g = (sx * dy2 - dx2 * sy) / determinant
    h = (dx1 * sy - sx * dy1) / determinant
    return _matrices.from_entries(
        [
            [x1 - x0 + g * x1, x3 - x0 + h * x3, x0],
            [y1 - y0 + g * y1, y3 - y0 + h * y3, y0],
            [g, h, 1.0],
        ]
    )
