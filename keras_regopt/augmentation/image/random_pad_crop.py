from keras_regopt._registry import register
from keras_regopt._validate import positive_int
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image._mask_fill import mask_fill
from keras_regopt.augmentation.image.functional._windows import shifts, windows


@register
class RandomPadCrop(GeometricAugmentation):
    """Shifts each image by a few whole pixels: pads it, then crops it.

    Pads an image by `padding` pixels on all sides and cuts a window of its
    own size out of that, at a random position: the usual augmentation of small
    images such as those of CIFAR, together with horizontal flips. Each image
    has a position of its own; the shifts along both axes are whole numbers from
    `-padding` to `padding`, all equally likely. Pixels are copied, not
    interpolated. Masks, bounding boxes and keypoints move along: boxes are
    clipped to the image, and one that leaves it becomes four zeros with the
    label -1.

    Args:
        padding: Width of the margin in pixels, at least 1. Defaults to `4`,
            which is the usual for 32 x 32 pixels.
        fill_mode: What is seen in the margin: `"constant"` is `fill_value`,
            `"reflect"` is `d c b a | a b c d | d c b a`, `"nearest"` is
            `a a a a | a b c d | d d d d` and `"wrap"` is
            `a b c d | a b c d | a b c d`. Defaults to `"constant"`.
        fill_value: Value of the pixels that `"constant"` fills in, in the
            units of the images; masks get `mask_fill_value`. Defaults to
            `0.0`.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `min_visibility` of boxes, `mask_fill_value`, `rate` (the
            probability that an image is moved at all) and `data_format`; see
            `GeometricAugmentation`. `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomPadCrop(padding=1, seed=3)
        >>> image = np.array([[1, 2], [3, 4]])[..., None]
        >>> moved = keras.ops.convert_to_numpy(layer(image))
        >>> moved.shape
        (2, 2, 1)

    References:
        He, Zhang, Ren and Sun 2016, Deep residual learning for image
        recognition, section 4.2.
    """

    def __init__(
        self,
        padding: int = 4,
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
        self.padding = positive_int(self, "padding", padding)

    def sample(self, shape, seed):
        return {
            "matrix": shifts(
                *(
                    self._start(draw)
                    for draw in self.uniforms(2, shape[0], seed)
                )
            )
        }

    def apply(self, inputs, parameters):
        return self._cut(inputs, parameters, self.fill_value)

    def apply_to_masks(self, masks, parameters):
        return self._cut(masks, parameters, mask_fill(self, masks))

    def _cut(self, images, parameters, fill_value):
        return windows(
            images,
            parameters["matrix"],
            self.ops.shape(images)[1:3],
            (self.padding, self.padding),
            self.fill_mode,
            fill_value,
        )

    def _start(self, draw):
        # A draw just under 1 may be rounded up.
        steps = self.ops.floor(draw * (2 * self.padding + 1))
        return self.ops.minimum(steps, 2 * self.padding) - self.padding
