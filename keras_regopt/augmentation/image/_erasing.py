import keras

from keras_regopt import _validate
from keras_regopt._random import uniforms_of
from keras_regopt._validate import boolean, in_range, one_of
from keras_regopt.augmentation._noise import bits
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._values import in_dtype_of
from keras_regopt.augmentation.image.functional._reductions import pixel_sum

FILL_MODES = ("constant", "mean", "noise")


class ErasingAugmentation(ImageAugmentation):
    """Base of the augmentations that erase some pixels of each image.

    A subclass writes `sample`, whose parameters hold the keys of the noise
    as `key`, and `marks(y, x, parameters)`.

    Args:
        fill_mode: `"constant"`, `"mean"` or `"noise"`.
        fill_value: The value for `"constant"`.
        value_range: The pair of the lowest and the highest value of noise.
        erase_masks: Whether masks become 0 where the image is erased.
        **kwargs: Those of `ImageAugmentation`.

    Raises:
        ValueError: If an argument is not among these values.
    """

    computes_in_floats = False
    targets = frozenset({"segmentation_masks"})

    def __init__(
        self,
        *,
        fill_mode: str,
        fill_value: float,
        value_range: tuple[float, float],
        erase_masks: bool,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fill_mode = one_of(self, "fill_mode", fill_mode, FILL_MODES)
        self.fill_value = in_range(self, "fill_value", fill_value)
        self.value_range = _validate.value_range(self, value_range)
        self.erase_masks = boolean(self, "erase_masks", erase_masks)

    def marks(self, y, x, parameters):
        """Which pixels are erased: those that both marks hold for.

        Args:
            y: Float32 tensor of the rows of the pixels, from 0, of shape
                `(1, height, 1)`.
            x: Float32 tensor of their columns, of shape `(1, 1, values)`:
                each column as often as there are channels.
            parameters: What `sample` returned.

        Returns:
            Two tensors of booleans that broadcast to
            `(batch, height, values)`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `marks(self, y, x, parameters)`."
        )

    def apply(self, inputs, parameters):
        fill = self._fill(inputs, parameters["key"])
        return self._replaced(inputs, fill, parameters)

    def apply_to_masks(self, masks, parameters):
        if not self.erase_masks:
            return masks
        return self._replaced(masks, self.ops.zeros((), "float32"), parameters)

    def _fill(self, images, keys):
        """Floats that broadcast to `(batch, height, width * channels)`."""
        ops = self.ops
        _, height, width, channels = ops.shape(images)
        if self.fill_mode == "constant":
            return ops.convert_to_tensor(self.fill_value, "float32")
        if self.fill_mode == "mean":
            total = pixel_sum(images)
            means = total / ops.cast(height * width, total.dtype)
            return ops.tile(means[:, None, :], (1, 1, width))
        low, high = self.value_range
        noise = uniforms_of(bits(keys, height * width * channels))
        noise = ops.reshape(noise, (-1, height, width * channels))
        return low + (high - low) * noise

    def _replaced(self, images, fill, parameters):
        ops = self.ops
        _, height, width, channels = shape = ops.shape(images)
        y = ops.arange(height, dtype="float32")[None, :, None]
        x = ops.cast(ops.arange(width * channels) // channels, "float32")
        one, other = self.marks(y, x[None, None, :], parameters)
        # Rows of values rather than of pixels: only so does XLA compute on
        # many at once.
        rows = ops.reshape(images, (-1, height, width * channels))
        fill = in_dtype_of(fill, rows)
        dtype = keras.backend.standardize_dtype(rows.dtype)
        if keras.backend.is_int_dtype(dtype):
            # XLA selects bytes one by one, but multiplies many at once, in a
            # tenth of the time.
            gone = ops.cast(one, dtype) * ops.cast(other, dtype)
            rows = rows * (1 - gone) + fill * gone
        else:
            rows = ops.where(ops.logical_and(one, other), fill, rows)
        return ops.reshape(rows, shape)

    def ranged_layers(self):
        # Only noise asks for the range.
        return super().ranged_layers() if self.fill_mode == "noise" else []
