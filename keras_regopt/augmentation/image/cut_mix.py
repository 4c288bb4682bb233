from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._mixing import partners, sources
from keras_regopt.augmentation.image._mixing import (
    MixingAugmentation,
    area,
    cut_to,
    edges,
)


@register
class CutMix(MixingAugmentation):
    """Pastes a rectangle of another image into each image of a batch.

    The rectangle has the same position in both. Labels are mixed by the area
    that each image keeps. A model must then go by more than the most telling
    part of an object, and sees whole textures, which `MixUp` blurs.

    With `weight ~ Beta(alpha, alpha)`, the rectangle has `sqrt(1 - weight)` of
    the height and width of the image, about a pixel that is drawn evenly, and
    what reaches beyond the edge is cut off. Then

        label' = (1 - area) * label + area * label of the partner

    where `area` is the part of the image that the rectangle really covers.
    Everything is drawn for each image by itself. Partners are a random ring
    through the batch: every image is the partner of one other, and none its
    own.

    Pass a dict of `images` and `labels`; a bare tensor is mixed with a warning.
    Integer labels become one-hot if `num_classes` is set, in
    training and in inference, so use a loss that takes vectors, such as
    `CategoricalCrossentropy`. Labels of floats, and integers of shape
    `(batch, classes)`, are mixed as they are.

    Masks are cut as the images are. An image's own box shrinks to what can be
    seen of it; a box of the partner is cut to the rectangle. Own boxes come
    first, then the partner's, so there is room for twice as many; what is not
    needed is padding at the end, zeros with the label -1.

    Args:
        alpha: Parameter of the beta distribution, a number > 0. Defaults to
            `1.0`, as in the paper: every area is as likely.
        num_classes: Number of classes, at least 2, for labels that are
            integers. Defaults to `None`: labels are floats.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"`. Defaults to `None`: no boxes.
        min_visibility: Share of its area, from 0 to 1, that must be seen of a
            box, or else it is dropped. Defaults to `0.0`: only boxes of which
            nothing is seen are.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image is mixed at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(batch, height, width, channels)`, or with the channels first, or a
        dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, if images come one by
            one, or if labels are integers and `num_classes` is not set.

    Examples:
        >>> layer = CutMix(num_classes=2, seed=0)
        >>> images = np.zeros((2, 8, 8, 1), "uint8")
        >>> images[1] = 1
        >>> mixed = layer({"images": images, "labels": [0, 1]})
        >>> seen = keras.ops.convert_to_numpy(mixed["images"]).mean((1, 2, 3))
        >>> labels = keras.ops.convert_to_numpy(mixed["labels"])
        >>> bool((seen == labels[:, 1]).all())
        True

    References:
        Yun et al. 2019, CutMix: Regularization strategy to train strong
        classifiers with localizable features (arXiv 1905.04899).
    """

    computes_in_floats = False

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        bounding_box_format: str | None = None,
        min_visibility: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            num_classes=num_classes,
            bounding_box_format=bounding_box_format,
            seed=seed,
            **kwargs,
        )
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self.min_visibility = in_range(
            self, "min_visibility", min_visibility, 0, 1
        )
        self._quantiles = beta_quantiles(self.alpha)

    def sample(self, shape, seed):
        ops = self.ops
        batch, height, width, _ = shape
        order, quantile, across, down = self.uniforms(4, batch, seed)
        weight = at_quantile(self._quantiles, quantile, ops)
        half = 0.5 * ops.sqrt(1 - weight)
        left, right = self._span(across, half, width)
        top, bottom = self._span(down, half, height)
        box = ops.stack([left, top, right, bottom], axis=-1)
        pixels = ops.cast(height, "float32") * ops.cast(width, "float32")
        pasted = area(box) / pixels
        return {
            "sources": sources(order, 2),
            "weights": ops.stack([1 - pasted, pasted], axis=1),
            "box": box,
        }

    def apply(self, inputs, parameters):
        ops = self.ops
        _, height, width, _ = ops.shape(inputs)
        left, top, right, bottom = (
            edge[:, None] for edge in edges(parameters["box"])
        )
        y = ops.cast(ops.arange(height), "float32")[None]
        x = ops.cast(ops.arange(width), "float32")[None]
        rows = ops.logical_and(y >= top, y < bottom)[:, :, None, None]
        columns = ops.logical_and(x >= left, x < right)[:, None, :, None]
        pasted = ops.logical_and(rows, columns)
        return ops.where(pasted, partners(inputs, parameters), inputs)

    def apply_to_masks(self, masks, parameters):
        return self.apply(masks, parameters)

    def placed(self, boxes, parameters, shape):
        ops = self.ops
        pasted = parameters["box"][:, None]
        own, others = boxes[:, 0], boxes[:, 1]
        hidden = area(cut_to(own, pasted))
        others = cut_to(others, pasted)
        return (
            ops.stack([self._left_of(own, pasted), others], axis=1),
            ops.stack([area(own) - hidden, area(others)], axis=1),
        )

    def _span(self, draw, half, size):
        """From where to where the rectangle reaches along one axis."""
        ops = self.ops
        size = ops.cast(size, "float32")
        center, half = ops.floor(draw * size), ops.floor(half * size)
        return ops.maximum(center - half, 0), ops.minimum(center + half, size)

    def _left_of(self, boxes, pasted):
        """The smallest boxes around what a rectangle leaves of boxes.

        A box loses a side only where the rectangle covers it from end to end.
        """
        ops = self.ops
        left, top, right, bottom = edges(boxes)
        from_x, from_y, to_x, to_y = edges(pasted)
        spans_height = ops.logical_and(from_y <= top, to_y >= bottom)
        spans_width = ops.logical_and(from_x <= left, to_x >= right)

        def moved(side, covers, first, last, new):
            reaches = ops.logical_and(first <= side, side <= last)
            return ops.where(ops.logical_and(covers, reaches), new, side)

        return ops.stack(
            [
                moved(left, spans_height, from_x, to_x, to_x),
                moved(top, spans_width, from_y, to_y, to_y),
                moved(right, spans_height, from_x, to_x, from_x),
                moved(bottom, spans_width, from_y, to_y, from_y),
            ],
            axis=-1,
        )
