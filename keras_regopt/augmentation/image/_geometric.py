from collections.abc import Sequence

from keras_regopt._validate import in_range, one_of
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._flip_pairs import checked_pairs, swapped
from keras_regopt.augmentation.image._mask_fill import mask_fill
from keras_regopt.augmentation.image.functional import _matrices
from keras_regopt.augmentation.image.functional._boxes import box_format
from keras_regopt.augmentation.image.functional._warp import (
    FILL_MODES,
    INTERPOLATIONS,
    warp,
)

# What layers must agree on to be one warp.
SHARED = (
    "fill_mode",
    "fill_value",
    "interpolation",
    "bounding_box_format",
    "min_visibility",
    "mask_fill_value",
    "flip_pairs",
    "data_format",
)


class GeometricAugmentation(ImageAugmentation):
    """Base of the augmentations that move pixels by a matrix.

    A subclass writes `sample`, which returns a dict with, at the least,
    `"matrix"`: for each image, where in the input a pixel of the output lies;
    see `_matrices`, which also makes such matrices. The image is read once.
    Masks, bounding boxes and keypoints move along by the same matrix, so
    there is nothing else to write. Images that `rate` spares get the matrix
    of `inference_parameters`, or that of the identity.

    A subclass whose output has another size than its input writes
    `output_size` and `inference_parameters`, and sets `acts_in_inference`.
    One whose matrices are not all affine sets `is_projective`.

    Neighbours in a pipeline can be one warp: `_matrices.composed` of their
    matrices, each sampled for the output size of the one before, is their
    matrix. That is right where `fill_mode`, `fill_value` and `interpolation`
    agree and `sample` returns nothing but the matrix.

    Args:
        fill_mode: What is seen beyond the edge: `"reflect"` is
            `d c b a | a b c d | d c b a`, `"nearest"` is
            `a a a a | a b c d | d d d d`, `"wrap"` is
            `a b c d | a b c d | a b c d` and `"constant"` is `fill_value`.
            Defaults to `"reflect"`.
        fill_value: Value of the pixels that `"constant"` fills in, in the
            units of the images. Defaults to `0.0`.
        interpolation: `"bilinear"`, `"nearest"` or `"bicubic"`. Defaults to
            `"bilinear"`.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        min_visibility: Fraction of the area of a moved box, from 0 to 1, that
            must be left within the image, or else the box is dropped.
            Defaults to `0.0`: only boxes of which nothing is left are.
        mask_fill_value: Class of the pixels of masks that `"constant"` fills
            in, such as the 255 that a loss ignores. Defaults to `0`.
        flip_pairs: List of pairs of numbers of keypoints, such as those of
            the left and the right hand, that are swapped in an image that is
            seen in a mirror. Defaults to `None`: none are.
        **kwargs: `rate`, `seed` and `data_format` of `ImageAugmentation`, and
            `name` and `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among the values above.
    """

    targets = frozenset({"segmentation_masks", "bounding_boxes", "keypoints"})

    # The warp takes any dtype.
    computes_in_floats = False

    # Whether some matrix has a last row other than (0, 0, 1).
    is_projective = False

    def __init__(
        self,
        *,
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        interpolation: str = "bilinear",
        bounding_box_format: str | None = None,
        min_visibility: float = 0.0,
        mask_fill_value: float = 0,
        flip_pairs: Sequence[Sequence[int]] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fill_mode = one_of(self, "fill_mode", fill_mode, FILL_MODES)
        self.fill_value = in_range(self, "fill_value", fill_value)
        self.interpolation = one_of(
            self, "interpolation", interpolation, INTERPOLATIONS
        )
        self.bounding_box_format = box_format(self, bounding_box_format)
        self.min_visibility = in_range(
            self, "min_visibility", min_visibility, 0, 1
        )
        self.mask_fill_value = in_range(
            self, "mask_fill_value", mask_fill_value
        )
        self.flip_pairs = checked_pairs(self, flip_pairs)

    def apply(self, inputs, parameters):
        size = self.output_size(*self.ops.shape(inputs)[1:3])
        return warp(
            inputs,
            parameters["matrix"],
            size,
            self.interpolation,
            self.fill_mode,
            self.fill_value,
            self.is_projective,
        )

    def apply_to_masks(self, masks, parameters):
        size = self.output_size(*self.ops.shape(masks)[1:3])
        return warp(
            masks,
            parameters["matrix"],
            size,
            "nearest",
            self.fill_mode,
            mask_fill(self, masks),
            self.is_projective,
        )

    def apply_to_boxes(self, boxes, parameters, shape):
        return _matrices.moved_boxes(boxes, parameters["matrix"])

    def apply_to_keypoints(self, points, parameters, shape):
        return _matrices.moved_points(points, parameters["matrix"])

    def transform_keypoints(self, keypoints, parameters, shape):
        points = super().transform_keypoints(keypoints, parameters, shape)
        if self.flip_pairs is None or "matrix" not in parameters:
            return points
        mirrored = _matrices.determinant(parameters["matrix"]) < 0
        return select(mirrored, swapped(self, points), points)

    def draw(self, shape, training, seed=None, among=None):
        parameters, chosen = super().draw(shape, training, seed, among)
        if chosen is None or set(parameters) != {"matrix"}:
            return parameters, chosen
        # One warp with the identity instead of a second image to select from.
        still = _matrices.identity(shape[0])
        return {"matrix": select(chosen, parameters["matrix"], still)}, None

    def merging_key(self):
        # A layer that moves boxes in its own manner draws more than a matrix.
        moves_by_matrix = all(
            getattr(type(self), hook) is getattr(GeometricAugmentation, hook)
            for hook in ("apply_to_boxes", "apply_to_keypoints")
        )
        if not moves_by_matrix:
            return None
        return (self.dtype_policy.name, *(getattr(self, n) for n in SHARED))

    def merged_with(self, others):
        return _MergedWarp([self, *others])


class _MergedWarp(GeometricAugmentation):
    """Several layers that follow one another, as one warp."""

    def __init__(self, leaves):
        first = leaves[0]
        shared = {name: getattr(first, name) for name in SHARED}
        super().__init__(dtype=first.dtype_policy, **shared)
        self.leaves = leaves
        self.is_projective = any(leaf.is_projective for leaf in leaves)

    def output_size(self, height, width):
        for leaf in self.leaves:
            height, width = leaf.output_size(height, width)
        return height, width

    def merged_parameters(self, parameters):
        matrices = [drawn["matrix"] for drawn in parameters]
        return {"matrix": _matrices.composed(*matrices)}
