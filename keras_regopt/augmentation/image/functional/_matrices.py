"""Matrices that say where the pixels of an image come from.

All are float32 tensors of shape `(batch, 3, 3)`. Such a matrix takes
`(x, y, 1)`, a pixel of the output, to `(u, v, w)`, which stands for the pixel
`(u / w, v / w)` of the input. Pixels are counted from the center of the first
one, columns before rows. If the last row is `(0, 0, 1)`, the map is affine.
Otherwise `w` is positive wherever there is something of the image to see.
"""

from keras_regopt._keras import data_ops as ops

# The smallest `w` to divide by.
NEAREST_TO_HORIZON = 1e-6


def affine(a, b, c, d, e, f):
    """The matrices of `x, y -> a x + b y + c, d x + e y + f`.

    Args:
        a: Tensor of shape `(batch,)`, as are all the others; some of them,
            but not all, may be plain numbers.
        b: See `a`.
        c: See `a`.
        d: See `a`.
        e: See `a`.
        f: See `a`.

    Returns:
        A tensor of shape `(batch, 3, 3)`.
    """
    return from_entries([[a, b, c], [d, e, f], [0.0, 0.0, 1.0]])


def identity(batch):
    """The matrices of a batch of images that stay as they are.

    Args:
        batch: How many, an integer or a scalar tensor.

    Returns:
        A tensor of shape `(batch, 3, 3)`.
    """
    one = ops.ones((batch,), dtype="float32")
    return affine(one, 0.0, 0.0, 0.0, one, 0.0)


def from_entries(rows):
    """Matrices from three rows of three tensors of shape `(batch,)`."""
    entries = [*rows[0], *rows[1], *rows[2]]
    # All of the shape of the largest.
    tensors = [x for x in entries if not isinstance(x, (int, float))]
    like = ops.zeros_like(sum(tensors))
    matrix = ops.stack([entry + like for entry in entries], axis=-1)
    return ops.reshape(matrix, (-1, 3, 3))


def composed(*matrices):
    """One warp for several that follow one another.

    Args:
        *matrices: The matrices of the warps, that of the first warp first.

    Returns:
        The matrix with which one warp does what all would do in turn, but
        for the rounding, and for what an intermediate image would cut off:
        only the edges of the first image count.
    """
    product, *others = matrices
    for matrix in others:
        # Not `matmul`, which some accelerators compute in half precision.
        product = ops.sum(product[..., None] * matrix[:, None], axis=2)
    return product


def inverted(matrix):
    """Matrices that lead from the input to the output."""
    (a, b, c), (d, e, f), (g, h, i) = entries(matrix)
    adjugate = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0]
    return from_entries([[x / determinant for x in row] for row in adjugate])


def determinant(matrix):
    """The determinants, of shape `(batch,)`; below 0, a warp is a mirror."""
    (a, b, c), (d, e, f), (g, h, i) = entries(matrix)
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def entries(matrix):
    """The entries, three rows of three tensors of shape `(batch,)`."""
    return [[matrix[:, row, i] for i in range(3)] for row in range(3)]


def moved_points(points, matrix):
    """Where the warp by a matrix takes points of the input.

    Args:
        points: Float32 tensor of shape `(batch, points, 2)`: x and y in
            pixels from the edge of the image, so that the center of the
            first pixel is at 0.5, as in boxes and keypoints.
        matrix: The matrix of the warp.

    Returns:
        A tensor like `points`.
    """
    rows = entries(inverted(matrix))
    x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
    x, y, w = (a[:, None] * x + b[:, None] * y + c[:, None] for a, b, c in rows)
    w = ops.maximum(w, NEAREST_TO_HORIZON)
    return ops.stack([x / w, y / w], axis=-1) + 0.5


def moved_boxes(boxes, matrix):
    """The smallest upright boxes around boxes that a warp has moved.

    Args:
        boxes: Float32 tensor of shape `(batch, boxes, 4)`: left, top, right
            and bottom edge in pixels.
        matrix: The matrix of the warp.

    Returns:
        A tensor like `boxes`, which may reach out of the image.
    """
    left, top, right, bottom = (boxes[..., i : i + 1] for i in range(4))
    x = ops.concatenate([left, left, right, right], axis=-1)
    y = ops.concatenate([top, bottom, top, bottom], axis=-1)
    points = ops.stack([x, y], axis=-1)
    shape = ops.shape(points)
    flat = ops.reshape(points, (shape[0], 4 * shape[1], 2))
    points = ops.reshape(moved_points(flat, matrix), shape)
    return boxes_around(points)


def boxes_around(points):
    """The smallest upright boxes around sets of points.

    Args:
        points: Tensor of shape `(batch, boxes, points, 2)`.

    Returns:
        A tensor of shape `(batch, boxes, 4)`.
    """
    if points.shape[1] == 0:
        # Keras refuses the least and the largest of nothing, along any axis.
        return ops.concatenate([points[:, :, 0], points[:, :, 1]], axis=-1)
    return ops.concatenate(
        [ops.min(points, axis=2), ops.max(points, axis=2)], axis=-1
    )
