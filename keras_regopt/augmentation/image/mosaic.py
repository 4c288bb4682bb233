from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range
from keras_regopt.augmentation._gather import rows_at
from keras_regopt.augmentation._mixing import sources
from keras_regopt.augmentation.image._mixing import (
    MixingAugmentation,
    area,
    cut_to,
)


@register
class Mosaic(MixingAugmentation):
    """Makes each image of four of the batch, which meet at a random point.

    A detector then sees objects of four scenes at once, cut off at the edges
    and out of their context, and batch normalization the statistics of four
    times as many images. The image itself is at the top left of its mosaic,
    the next three are at the top right, the bottom left and the bottom right.
    Each touches the meeting point with a corner and keeps its scale, and
    shows what of it then lies within a frame of the same size: the one at the
    top left its bottom right. For smaller objects, let `RandomAffine` zoom
    out afterwards.

    The images of a mosaic are neighbours in a random ring through the batch,
    so that every image is used four times, each time at another position; in a
    batch of less than four, some meet themselves.

    Pass a dict of `images` and what belongs to them; a bare tensor is mixed
    with a warning. Boxes move along and are cut to what is seen: those
    of the top left image come first, then those of the top right, bottom left
    and bottom right, so there is room for four times as many; what is not
    needed is padding at the end, zeros with the label -1. Masks are cut as
    the images are. Labels are averaged by the areas of the four: integers
    become one-hot if `num_classes` is set, in training and in inference;
    labels of floats, and integers of shape `(batch, classes)`, are averaged as
    they are.

    Args:
        center: Pair of the lowest and the highest position of the meeting
            point, as a fraction of height and width, from 0 to 1; it is drawn
            for each axis. Defaults to `(0.2, 0.8)`, as in the authors' code.
        num_classes: Number of classes, at least 2, for labels that are
            integers. Defaults to `None`: labels are floats.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"`. Defaults to `None`: no boxes.
        min_visibility: Share of its area, from 0 to 1, that must be seen of a
            box, or else it is dropped. Defaults to `0.0`: only boxes of which
            nothing is seen are.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image becomes a mosaic at
            all) and `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(batch, height, width, channels)`, or with the channels first, or a
        dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, if images come one by
            one, or if labels are integers and `num_classes` is not set.

    Examples:
        >>> layer = Mosaic(center=(0.5, 0.5), seed=0)
        >>> images = np.arange(4.0)[:, None, None, None] * np.ones((2, 2, 1))
        >>> mosaics = layer({"images": images})["images"]
        >>> first = keras.ops.convert_to_numpy(mosaics)[0, ..., 0]
        >>> float(first[0, 0]), sorted(first.flatten().tolist())
        (0.0, [0.0, 1.0, 2.0, 3.0])

    References:
        Bochkovskiy, Wang and Liao 2020, YOLOv4: Optimal speed and accuracy of
        object detection (arXiv 2004.10934).
    """

    computes_in_floats = False
    mixed_count = 4

    def __init__(
        self,
        center: tuple[float, float] = (0.2, 0.8),
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
        self.center = _pair(self, center)
        self.min_visibility = in_range(
            self, "min_visibility", min_visibility, 0, 1
        )

    def sample(self, shape, seed):
        ops = self.ops
        batch, height, width, _ = shape
        order, across, down = self.uniforms(3, batch, seed)
        x, part_x = self._coordinate(across, width)
        y, part_y = self._coordinate(down, height)
        weights = [
            part_x * part_y,
            (1 - part_x) * part_y,
            part_x * (1 - part_y),
            (1 - part_x) * (1 - part_y),
        ]
        return {
            "sources": sources(order, self.mixed_count),
            "weights": ops.stack(weights, axis=1),
            "center": ops.stack([x, y], axis=1),
        }

    def apply(self, inputs, parameters):
        ops = self.ops
        batch, height, width, channels = ops.shape(inputs)
        center = ops.cast(parameters["center"], "int32")
        source = ops.cast(parameters["sources"], "int32")
        x = ops.arange(width, dtype="int32")[None] - center[:, :1]
        y = ops.arange(height, dtype="int32")[None] - center[:, 1:]
        lower, right = (y >= 0)[:, :, None], (x >= 0)[:, None]
        top_left, top_right, bottom_left, bottom_right = (
            source[:, i, None, None] for i in range(self.mixed_count)
        )
        source = ops.where(
            lower,
            ops.where(right, bottom_right, bottom_left),
            ops.where(right, top_right, top_left),
        )
        # What lies left of the meeting point is the right end of an image.
        x = ops.where(x < 0, x + width, x)[:, None]
        y = ops.where(y < 0, y + height, y)[:, :, None]
        pixels = ops.reshape(inputs, (batch * height * width, channels))
        index = (source * height + y) * width + x
        return rows_at(pixels, index)

    def apply_to_masks(self, masks, parameters):
        return self.apply(masks, parameters)

    def placed(self, boxes, parameters, shape):
        ops = self.ops
        x, y = parameters["center"][:, 0], parameters["center"][:, 1]
        height = ops.cast(shape[1], "float32") + ops.zeros_like(y)
        width = ops.cast(shape[2], "float32") + ops.zeros_like(x)
        none = ops.zeros_like(x)
        frames, moves = [], []
        for top, bottom in ((none, y), (y, height)):
            for left, right in ((none, x), (x, width)):
                frames.append(ops.stack([left, top, right, bottom], axis=-1))
        for move_y in (y - height, y):
            for move_x in (x - width, x):
                moves.append(ops.stack([move_x, move_y] * 2, axis=-1))
        moved = boxes + ops.stack(moves, axis=1)[:, :, None]
        seen = cut_to(moved, ops.stack(frames, axis=1)[:, :, None])
        return seen, area(seen)

    def _coordinate(self, draw, size):
        """A coordinate of the meeting point, in pixels and as a fraction."""
        low, high = self.center
        size = self.ops.cast(size, "float32")
        position = self.ops.round((low + (high - low) * draw) * size)
        return position, position / size


def _pair(owner, center):
    allowed = "a pair (lowest, highest) of numbers from 0 to 1"
    if not isinstance(center, (list, tuple)) or len(center) != 2:
        fail(owner, "center", allowed, center)
    low, high = (in_range(owner, "center", c, 0, 1) for c in center)
    if low > high:
        fail(owner, "center", allowed, center)
    return low, high
