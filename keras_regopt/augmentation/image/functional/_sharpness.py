"""The sharpness of Pillow's `ImageEnhance`, for each image by itself."""

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of


def sharpened(images, amount, value_range=(0, 255)):
    """Moves images away from their smoothed copies, or towards them.

    The result is `image + amount * (image - smooth)`, within the range of the
    values, where `smooth` has the mean of the 3x3 pixels around each, with
    the pixel itself counted five times. Pixels at the edge stay as they are.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        amount: Float tensor of shape `(batch,)`: -1 smooths, 0 changes
            nothing, 1 sharpens. It is Pillow's factor less one.
        value_range: The pair of the lowest and the highest value that a pixel
            can have.

    Returns:
        A tensor of the shape and dtype of `images`.
    """
    _, height, width, channels = shape = ops.shape(images)
    # Pixels as one long row each: only so does XLA compute on many at once.
    # A neighbor is then a fixed step away. Past the side edges the steps
    # lead into the rows above and below, but those pixels stay anyway.
    flat = ops.reshape(images, (-1, height * width * channels))
    row, column = width * channels, channels
    margin = row + column
    values = as_floats(flat)
    center = values[:, margin:-margin]
    sums = values[:, : -2 * row] + values[:, row:-row] + values[:, 2 * row :]
    sums = (
        sums[:, : -2 * column] + sums[:, column:-column] + sums[:, 2 * column :]
    )
    # The image less its smoothed copy: center - (sums + 4 * center) / 13.
    detail = (9 * center - sums) / 13
    position = ops.arange(height * row)[margin:-margin] % row
    inside = ops.logical_and(position >= column, position < row - column)
    weight = ops.cast(amount, values.dtype)[:, None]
    center = center + weight * ops.where(inside, detail, 0)
    # Bytes are put together, not floats, which are four times as much to move.
    center = in_dtype_of(center, images, value_range)
    tail = flat[:, margin:][:, -margin:]
    parts = [flat[:, :margin], center, tail]
    return ops.reshape(ops.concatenate(parts, axis=1), shape)
