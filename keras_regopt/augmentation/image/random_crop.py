import sys

from keras_regopt._keras import in_tf_graph
from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, positive_int
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image._mask_fill import mask_fill
from keras_regopt.augmentation.image.functional._windows import shifts, windows


@register
class RandomCrop(GeometricAugmentation):
    """Cuts a window of a fixed size out of each image, at a random position.

    Teaches a model not to depend on where things are, and gives images of
    different sizes the same one. Each image has a position of its own, and
    every position at which the window fits is equally likely. Pixels are
    copied, not interpolated. Masks, bounding boxes and keypoints are cut
    along: boxes are clipped to the window, and one that is not in it becomes
    four zeros with the label -1.

    In inference, and for the images that `rate` spares, it is the window in
    the middle, that of Keras' `CenterCrop`.

    An image that is smaller than the window is an error, or, with
    `pad_if_needed=True`, lies at a random position in the window, with margins
    as `fill_mode` says.

    Args:
        height: Height of the window in pixels, at least 1.
        width: Width of the window in pixels, at least 1.
        pad_if_needed: Whether images may be smaller than the window. Defaults
            to `False`.
        fill_mode: What is seen beyond the edge of such an image: `"constant"`
            is `fill_value`, `"reflect"` is `d c b a | a b c d | d c b a`,
            `"nearest"` is `a a a a | a b c d | d d d d` and `"wrap"` is
            `a b c d | a b c d | a b c d`. Defaults to `"constant"`.
        fill_value: Value of the pixels that `"constant"` fills in, in the
            units of the images; masks get `mask_fill_value`. Defaults to
            `0.0`.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `min_visibility` of boxes, `mask_fill_value`, `rate` (the
            probability that an image is cut at a random position) and
            `data_format`; see `GeometricAugmentation`. `name` and `dtype` of
            a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs, with the height and the width of the window.

    Raises:
        ValueError: If an argument is not among the values above, or if images
            are smaller than the window and `pad_if_needed` is `False`. Where
            sizes are known only when a TensorFlow graph runs, it is
            TensorFlow's `InvalidArgumentError`.

    Examples:
        >>> layer = RandomCrop(height=2, width=2)
        >>> image = np.arange(16).reshape(4, 4, 1)
        >>> layer(image).shape == (2, 2, 1)
        True
        >>> middle = layer(image, training=False)
        >>> keras.ops.convert_to_numpy(middle)[..., 0].tolist()
        [[5, 6], [9, 10]]

    References:
        Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with
        deep convolutional neural networks.
    """

    acts_in_inference = True

    def __init__(
        self,
        height: int,
        width: int,
        *,
        pad_if_needed: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        bounding_box_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode=fill_mode,
            fill_value=fill_value,
            bounding_box_format=bounding_box_format,
            seed=seed,
            **kwargs,
        )
        self.height = positive_int(self, "height", height)
        self.width = positive_int(self, "width", width)
        self.pad_if_needed = boolean(self, "pad_if_needed", pad_if_needed)

    def sample(self, shape, seed):
        batch, height, width, _ = shape
        height, width = self._fitting(height, width)
        across, down = self.uniforms(2, batch, seed)
        return {
            "matrix": shifts(
                self._start(across, width - self.width),
                self._start(down, height - self.height),
            )
        }

    def inference_parameters(self, shape):
        _, height, width, _ = shape
        height, width = self._fitting(height, width)
        ops = self.ops
        # One for all images: a plain slice, which every runtime can serve.
        middle = [
            self._middle(room) * ops.ones((1,))
            for room in (width - self.width, height - self.height)
        ]
        return {"matrix": shifts(*middle)}

    def output_size(self, height, width):
        return self.height, self.width

    def apply(self, inputs, parameters):
        return self._cut(inputs, parameters, self.fill_value)

    def apply_to_masks(self, masks, parameters):
        return self._cut(masks, parameters, mask_fill(self, masks))

    def _cut(self, images, parameters, fill_value):
        _, height, width, _ = self.ops.shape(images)
        return windows(
            images,
            parameters["matrix"],
            (self.height, self.width),
            (
                self._margin(self.height - height),
                self._margin(self.width - width),
            ),
            self.fill_mode,
            fill_value,
        )

    def _start(self, draw, room):
        """A whole number from 0 to `room`, or from `room` to 0."""
        ops = self.ops
        room = ops.cast(room, "float32")
        # A draw just under 1 may be rounded up.
        steps = ops.floor(draw * (ops.abs(room) + 1))
        return ops.sign(room) * ops.minimum(steps, ops.abs(room))

    def _middle(self, room):
        """Half of `room`, rounded towards 0, by what ONNX has operators for."""
        ops = self.ops
        room = ops.cast(room, "float32")
        return ops.sign(room) * ops.floor(ops.abs(room) / 2)

    def _margin(self, missing):
        if not self.pad_if_needed:
            return 0
        if isinstance(missing, int):
            return max(missing, 0)
        return self.ops.maximum(missing, 0)

    def _fitting(self, height, width):
        """The size of the images, once it is known that the window fits."""
        if self.pad_if_needed:
            return height, width
        return (
            self._at_least("height", self.height, height),
            self._at_least("width", self.width, width),
        )

    def _at_least(self, name, window, size):
        remedy = "Set `pad_if_needed=True` to pad smaller images."
        if isinstance(size, int) and size < window:
            allowed = f"at most that of the images, {size}"
            fail(self, name, allowed, window, remedy)
        if isinstance(size, int) or not in_tf_graph():
            return size
        tf = sys.modules["tensorflow"]
        check = tf.debugging.assert_less_equal(
            window,
            size,
            f"`{name}` of {type(self).__name__} must be at most that of the "
            f"images. {remedy}",
        )
        # What is computed from the size waits for the check.
        with tf.control_dependencies([check]):
            return tf.identity(size)
