import math

from keras_regopt._registry import register
from keras_regopt._validate import factor, in_range
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image._mask_fill import mask_fill
from keras_regopt.augmentation.image.functional._matrices import boxes_around
from keras_regopt.augmentation.image.functional._warp import read_at

# More would tear any image to pieces.
LARGEST_ALPHA = 1e6

# How far the blur reaches, in standard deviations.
REACH = 4

# Points on each edge of a box that are moved with the image.
POINTS_PER_EDGE = 8

# The search for where a point went: how many steps, and how much of each. Whole
# steps would swing ever wider where the image is stretched to twice its size.
STEPS = 15
FRACTION = 0.75


@register
class RandomElastic(GeometricAugmentation):
    """Distorts each image smoothly, as if it were drawn on rubber.

    Made for handwriting, where it does what the muscles of a hand do, and for
    tissue under a microscope. Each image has a field of displacements of its
    own; a pixel of the output is read where the field at this pixel leads:

    `output[y, x] = image[y + dy[y, x], x + dx[y, x]]`

    In the paper, `dx` and `dy` are independent noise from -1 to 1, blurred by
    a Gaussian of standard deviation `sigma`, times `alpha`. Here normal
    numbers on a grid of `sigma` pixels are spread by Gaussians of that width,
    which gives a field of the same variance and correlation at a fraction of
    the cost. It is as strong at the edge of the image as in its middle.

    The displacement of a pixel along either axis has the standard deviation
    `0.163 * alpha / sigma` pixels: 1.4 pixels with the defaults, which are
    those of the paper, for digits of 29 x 29 pixels. For images `k` times
    as large, `k * sigma` and `k ** 2 * alpha` show the same. Where `alpha` is
    beyond about `3 * sigma ** 2`, the image folds over itself here and there.

    Masks move by their nearest pixel. A keypoint goes to where the pixel under
    it goes. A box becomes the smallest upright box around 32 points of its
    edges, clipped to the image; one that leaves it becomes four zeros with the
    label -1. With the defaults, 999 of 1000 points are right within 0.05
    pixels; where the image folds, a point is seen more than once, and one of
    these points is told, or one near by.

    Args:
        alpha: Strength of the displacements, at least 0, in pixels. A pair
            `(lowest, highest)` is a range, from which each image draws its
            own. Defaults to `34.0`.
        sigma: Standard deviation of the blur in pixels, at least 1: the
            larger, the smoother and the weaker the field. Defaults to `4.0`.
        fill_mode: What is seen beyond the edge: `"reflect"` is
            `d c b a | a b c d | d c b a`, `"nearest"` is
            `a a a a | a b c d | d d d d`, `"wrap"` is
            `a b c d | a b c d | a b c d` and `"constant"` is `fill_value`.
            Defaults to `"reflect"`.
        interpolation: `"bilinear"`, `"nearest"` or `"bicubic"`. Defaults to
            `"bilinear"`.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        seed: Integer that fixes all draws. Defaults to `None`.
        fill_value: Value of the pixels that `"constant"` fills in, in the
            units of the images; masks get `mask_fill_value`. Defaults to
            `0.0`.
        **kwargs: `min_visibility` of boxes, `mask_fill_value`, `rate` (the
            probability that an image is distorted at all) and
            `data_format`; see `GeometricAugmentation`. `name` and `dtype` of
            a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomElastic(alpha=20, seed=0)
        >>> images = np.random.default_rng(0).uniform(size=(2, 28, 28, 1))
        >>> layer(images).shape == images.shape
        True

    References:
        Simard, Steinkraus and Platt 2003, Best practices for convolutional
        neural networks applied to visual document analysis.
    """

    def __init__(
        self,
        alpha: float | tuple[float, float] = 34.0,
        sigma: float = 4.0,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        bounding_box_format: str | None = None,
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs,
    ):
        super().__init__(
            fill_mode=fill_mode,
            interpolation=interpolation,
            bounding_box_format=bounding_box_format,
            seed=seed,
            fill_value=fill_value,
            **kwargs,
        )
        self.alpha = factor(self, "alpha", alpha, 0, LARGEST_ALPHA)
        self.sigma = in_range(self, "sigma", sigma, low=1)

    def sample(self, shape, seed):
        """The random numbers on the grid, for `dx` and for `dy`."""
        batch, height, width, _ = shape
        rows, columns = (self._grid_points(n) for n in (height, width))
        low, high = self.alpha, self.alpha
        if isinstance(self.alpha, tuple):
            low, high = self.alpha
        (draw,) = self.uniforms(1, batch, seed)
        # The Gaussians of a grid of `sigma` pixels add up to a variance of
        # pi times that of one number; the noise has 1/3, and its blur leaves
        # a 4 pi sigma^2-th of it.
        strength = (low + (high - low) * draw) / (
            math.sqrt(12) * math.pi * self.sigma
        )
        noise = self.random.normal((2, batch, rows, columns), seed=seed)
        noise = noise * strength[:, None, None]
        return {"dx": noise[0], "dy": noise[1]}

    def apply(self, inputs, parameters):
        return self._read(
            inputs, parameters, self.interpolation, self.fill_value
        )

    def apply_to_masks(self, masks, parameters):
        return self._read(masks, parameters, "nearest", mask_fill(self, masks))

    def apply_to_keypoints(self, points, parameters, shape):
        """Finds the pixels of the output that are read at the points."""
        ops = self.ops
        _, rows, columns = ops.shape(parameters["dx"])
        points = found = points - 0.5
        # `found + displacement(found) == points`, solved for `found`.
        for _ in range(STEPS):
            across = self._weights(found[..., 0], columns)
            down = self._weights(found[..., 1], rows)
            moves = [
                ops.sum(ops.matmul(down, parameters[name]) * across, axis=-1)
                for name in ("dx", "dy")
            ]
            missed = points - found - ops.stack(moves, axis=-1)
            found = found + FRACTION * missed
        return found + 0.5

    def apply_to_boxes(self, boxes, parameters, shape):
        ops = self.ops
        left, top, right, bottom = (boxes[..., i, None] for i in range(4))
        # Once around, from corner to corner.
        there = ops.cast(ops.arange(POINTS_PER_EDGE), "float32")
        there = there / POINTS_PER_EDGE
        back, zero, one = 1 - there, 0 * there, 0 * there + 1
        x = left + (right - left) * ops.concatenate([there, one, back, zero])
        y = top + (bottom - top) * ops.concatenate([zero, there, one, back])
        edges = ops.stack([x, y], axis=-1)
        batch, count, points, _ = ops.shape(edges)
        moved = self.apply_to_keypoints(
            ops.reshape(edges, (batch, count * points, 2)), parameters, shape
        )
        moved = ops.reshape(moved, (batch, count, points, 2))
        return boxes_around(moved)

    def _read(self, images, parameters, interpolation, fill_value):
        ops = self.ops
        _, height, width, _ = ops.shape(images)
        x = ops.cast(ops.arange(width), "float32")
        y = ops.cast(ops.arange(height), "float32")
        dx, dy = parameters["dx"], parameters["dy"]
        _, rows, columns = ops.shape(dx)
        across = ops.transpose(self._weights(x, columns))
        down = self._weights(y, rows)
        return read_at(
            images,
            x + ops.matmul(down, ops.matmul(dx, across)),
            y[:, None] + ops.matmul(down, ops.matmul(dy, across)),
            interpolation,
            self.fill_mode,
            fill_value,
        )

    def _grid_points(self, size):
        """How many points of the grid reach an axis of this many pixels."""
        if isinstance(size, int):
            return math.ceil((size - 1) / self.sigma) + 1 + 2 * REACH
        ops = self.ops
        steps = ops.ceil((ops.cast(size, "float32") - 1) / self.sigma)
        return ops.cast(steps, "int32") + 1 + 2 * REACH

    def _weights(self, positions, count):
        """What each of `count` points of the grid gives to each position."""
        ops = self.ops
        grid = ops.cast(ops.arange(count), "float32") - REACH
        distance = positions[..., None] / self.sigma - grid
        return ops.exp(-0.5 * ops.square(distance))
