import math

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import factor, one_of
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image.functional import _matrices

FLIPS = (None, "horizontal", "vertical", "both")


@register
class RandomAffine(GeometricAugmentation):
    """Flips, shears, rotates, zooms and shifts each image, in one warp.

    The moves are drawn for each image by itself and happen about its center,
    in the order of the sentence above. They are composed into one matrix and
    the image is interpolated once, which is faster than a layer for each move
    and keeps more detail. Masks, keypoints and bounding boxes move along: masks
    by their nearest pixel, a box as the smallest upright box around its moved
    corners, clipped to the image. A box that leaves the image becomes four
    zeros with the label -1. Labels of images do not change.

    Use it where a moved image means the same: most photographs. Set
    `flip=None` for digits and letters.

    Every factor is a number `f`, for the range from `-f` to `f`, or a pair
    `(lowest, highest)`; 0 switches the move off.

    Args:
        flip: `"horizontal"`, `"vertical"`, `"both"`, each way with
            probability one half on a coin of its own, or `None`. Defaults to
            `"horizontal"`.
        rotation: Fraction of a full turn, from -1 to 1; positive turns
            counterclockwise. Defaults to `0.02`, up to 7 degrees either way.
        zoom: Change of the scale, from -0.99 to 0.99; 0.2 shows the image
            20 % smaller in a frame of the same size, -0.2 shows 80 % of
            its width and height. Both axes have the same. Defaults to `0.1`.
        translation: Shift as a fraction of height and width, from -1 to 1,
            drawn for each axis; positive is down and to the right. Defaults
            to `0.05`.
        shear: Shift of a pixel along one axis for each pixel along the other,
            from -1 to 1, drawn for each axis. Defaults to `0.0`.
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
        **kwargs: `min_visibility` (the fraction of the area of a moved box,
            from 0 to 1, that must be left within the image, or else the box is
            dropped; 0.0 by default), `mask_fill_value` (the class of the
            pixels of masks that `"constant"` fills in; 0 by default),
            `flip_pairs` (pairs of keypoints, such as left and right hands,
            that a mirror swaps), `rate` (the probability that
            an image is moved at all) and `data_format`, and `name` and
            `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomAffine(rotation=(0.25, 0.25), flip=None, zoom=0,
        ...                      translation=0)
        >>> image = np.array([[1.0, 2.0], [3.0, 4.0]])[..., None]
        >>> turned = keras.ops.convert_to_numpy(layer(image))
        >>> np.round(turned[..., 0]).tolist()
        [[2.0, 4.0], [1.0, 3.0]]

    References:
        Simard, Steinkraus and Platt 2003, Best practices for convolutional
        neural networks applied to visual document analysis.
    """

    search_space = {
        "rotation": Range(0.0, 0.1),
        "zoom": Range(0.0, 0.3),
        "translation": Range(0.0, 0.2),
    }

    def __init__(
        self,
        flip: str | None = "horizontal",
        rotation: float | tuple[float, float] = 0.02,
        zoom: float | tuple[float, float] = 0.1,
        translation: float | tuple[float, float] = 0.05,
        shear: float | tuple[float, float] = 0.0,
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
        self.flip = one_of(self, "flip", flip, FLIPS)
        self.rotation = factor(self, "rotation", rotation, -1, 1)
        # A zoom of -1 would show a single point.
        self.zoom = factor(self, "zoom", zoom, -0.99, 0.99)
        self.translation = factor(self, "translation", translation, -1, 1)
        self.shear = factor(self, "shear", shear, -1, 1)

    def sample(self, shape, seed):
        batch, height, width, _ = shape
        draws = self.uniforms(8, batch, seed)
        return {"matrix": self._matrix(draws, height, width)}

    def apply(self, inputs, parameters):
        if self._only_flips():
            return self._flipped(inputs, parameters["matrix"])
        return super().apply(inputs, parameters)

    def apply_to_masks(self, masks, parameters):
        if self._only_flips():
            return self._flipped(masks, parameters["matrix"])
        return super().apply_to_masks(masks, parameters)

    def _only_flips(self):
        factors = (self.rotation, self.zoom, self.translation, self.shear)
        return all(factor in (0, (0, 0)) for factor in factors)

    def _flipped(self, images, matrix):
        """What the warp would give, at the cost of a copy."""
        for direction, axis, sign in (
            ("horizontal", 2, matrix[:, 0, 0]),
            ("vertical", 1, matrix[:, 1, 1]),
        ):
            if self.flip in (direction, "both"):
                turned = self.ops.flip(images, axis=axis)
                images = select(sign < 0, turned, images)
        return images

    def _matrix(self, draws, height, width):
        """From pixels of the output to pixels of the input."""
        ops = self.ops
        height = ops.cast(height, "float32")
        width = ops.cast(width, "float32")
        angle = 2 * math.pi * between(self.rotation, draws[2])
        scale = 1 + between(self.zoom, draws[3])
        cosine, sine = scale * ops.cos(angle), scale * ops.sin(angle)
        shear_x = between(self.shear, draws[6])
        shear_y = between(self.shear, draws[7])
        # Two shears after one another keep the area.
        first = 1 + shear_x * shear_y
        sign_x = self._sign(draws[0], "horizontal")
        sign_y = self._sign(draws[1], "vertical")
        a = sign_x * (first * cosine + shear_x * sine)
        b = sign_x * (shear_x * cosine - first * sine)
        d = sign_y * (shear_y * cosine + sine)
        e = sign_y * (cosine - shear_y * sine)
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        to_x = center_x + width * between(self.translation, draws[4])
        to_y = center_y + height * between(self.translation, draws[5])
        c = center_x - a * to_x - b * to_y
        f = center_y - d * to_x - e * to_y
        return _matrices.affine(a, b, c, d, e, f)

    def _sign(self, draw, direction):
        if self.flip not in (direction, "both"):
            return 1.0
        return self.ops.where(draw < 0.5, -1.0, 1.0)
