"""The reading of images at points of any kind, against slow references."""

import keras
import numpy as np
import pytest
import scipy.ndimage
from keras import ops

from keras_regopt.augmentation.image.functional import _matrices
from keras_regopt.augmentation.image.functional._warp import (
    read_at,
    sources,
    warp,
)

# The same rules under SciPy's names.
SCIPY_MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_and_points():
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (2, 7, 9, 2)).astype("float32")
    # From far beyond each edge; some on pixels and on edges of pixels.
    x = random.uniform(-40, 40, (2, 25, 30)).astype("float32")
    y = random.uniform(-40, 40, (2, 25, 30)).astype("float32")
    x[:, :3], y[:, 3:6] = np.round(x[:, :3]), np.round(y[:, 3:6])
    return images, x, y


def by_scipy(images, x, y, order, mode):
    return np.stack(
        [
            np.stack(
                [
                    scipy.ndimage.map_coordinates(
                        channel, [v, u], order=order, mode=mode, cval=7.0
                    )
                    for channel in np.moveaxis(image, -1, 0)
                ],
                axis=-1,
            )
            for image, u, v in zip(images, x, y, strict=True)
        ]
    )


def by_keys(images, x, y, mode):
    """Keys 1981, equation 15, on an image that is padded widely enough."""

    def kernel(s):
        s = np.abs(s)
        near = 1.5 * s**3 - 2.5 * s**2 + 1
        far = -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2
        return np.where(s < 1, near, np.where(s < 2, far, 0))

    options = {"constant_values": 7.0} if mode == "constant" else {}
    names = {"nearest": "edge", "reflect": "symmetric"}
    margin = 44
    result = np.zeros((*x.shape, images.shape[-1]))
    for image, u, v, out in zip(images, x, y, result, strict=True):
        wide = np.pad(
            image.astype("float64"),
            ((margin, margin), (margin, margin), (0, 0)),
            mode=names.get(mode, mode),
            **options,
        )
        for place in np.ndindex(u.shape):
            left, top = int(np.floor(u[place])), int(np.floor(v[place]))
            for row in range(top - 1, top + 3):
                for column in range(left - 1, left + 3):
                    weight = kernel(u[place] - column) * kernel(v[place] - row)
                    out[place] += weight * wide[margin + row, margin + column]
    return result


@pytest.mark.any_case
@pytest.mark.parametrize("mode", list(SCIPY_MODES))
def test_every_interpolation_follows_its_reference_beyond_each_edge(mode):
    images, x, y = images_and_points()
    tensors = [ops.convert_to_tensor(t) for t in (images, x, y)]
    for interpolation, order in (("nearest", 0), ("bilinear", 1)):
        read = numpy(read_at(*tensors, interpolation, mode, 7.0))
        expected = by_scipy(images, x, y, order, SCIPY_MODES[mode])
        np.testing.assert_allclose(read, expected, atol=2e-3)
    read = numpy(read_at(*tensors, "bicubic", mode, 7.0))
    np.testing.assert_allclose(read, by_keys(images, x, y, mode), atol=5e-3)


@pytest.mark.any_backend
@pytest.mark.parametrize("size", [(5, 4), (9, 16)])
def test_the_output_may_have_another_size_and_a_perspective(size):
    images, _, _ = images_and_points()
    matrix = np.array(
        [
            [[1.1, 0.2, -0.5], [-0.1, 0.8, 0.3], [0.01, -0.02, 1.0]],
            [[0.4, 0.0, 1.0], [0.0, 0.6, 1.0], [-0.02, 0.03, 1.2]],
        ],
        "float32",
    )
    rows, columns = np.mgrid[: size[0], : size[1]]
    pixels = np.stack([columns, rows, np.ones(size)])
    u, v, w = np.einsum("bij,jhw->ibhw", matrix.astype("float64"), pixels)
    expected = by_scipy(images, u / w, v / w, 1, "reflect")
    result = warp(
        ops.convert_to_tensor(images),
        ops.convert_to_tensor(matrix),
        size,
        is_projective=True,
    )
    np.testing.assert_allclose(numpy(result), expected, atol=5e-3)


@pytest.mark.any_backend
def test_the_last_row_counts_only_in_a_perspective():
    matrix = ops.convert_to_tensor(
        np.array([[[1.0, 0, 2], [0, 1, 3], [9, 9, 9]]], "float32")
    )
    x, y = sources(matrix, (2, 2))
    np.testing.assert_array_equal(numpy(x + 0 * y)[0], [[2, 3], [2, 3]])


@pytest.mark.any_backend
@pytest.mark.parametrize("mode", list(SCIPY_MODES))
def test_nothing_but_pixels_is_seen_beyond_the_horizon(mode):
    images, _, _ = images_and_points()
    # The last row falls to zero and below within the output.
    matrix = np.array([[[1.0, 0, 1], [0, 1, 1], [-0.25, 0, 1]]] * 2, "float32")
    for interpolation in ("bilinear", "nearest"):
        result = numpy(
            warp(
                ops.convert_to_tensor(images),
                ops.convert_to_tensor(matrix),
                (7, 9),
                interpolation,
                mode,
                is_projective=True,
            )
        )
        assert np.isfinite(result).all()
        if mode == "constant":
            assert not result[:, :, 5:].any()


@pytest.mark.any_backend
@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_the_nearest_pixel_keeps_its_dtype(dtype):
    images, _, _ = images_and_points()
    tensor = ops.convert_to_tensor(images.astype(dtype))
    still = _matrices.identity(2)
    result = warp(tensor, still, (7, 9), "nearest")
    assert keras.backend.standardize_dtype(result.dtype) == dtype
    np.testing.assert_array_equal(numpy(result), images.astype(dtype))


@pytest.mark.any_backend
def test_matrices_are_composed_in_the_order_of_the_warps_and_inverted():
    random = np.random.default_rng(0)
    one, other, third = random.normal(size=(3, 4, 3, 3)).astype("float32")
    composed = numpy(_matrices.composed(*map(ops.array, (one, other, third))))
    np.testing.assert_allclose(composed, one @ other @ third, atol=1e-5)
    inverse = numpy(_matrices.inverted(ops.array(one)))
    np.testing.assert_allclose(inverse, np.linalg.inv(one), rtol=1e-3)
    # To the right by 1, then wider by 2: pixel 0 is that 1 to the left.
    shift = _matrices.affine(ops.ones((1,)), 0.0, -1.0, 0.0, 1.0, 0.0)
    widen = _matrices.affine(0.5 * ops.ones((1,)), 0.0, 0.0, 0.0, 1.0, 0.0)
    matrix = numpy(_matrices.composed(shift, widen))[0]
    assert (matrix @ [4, 3, 1]).tolist() == [1, 3, 1]
    point = ops.array([[[1.5, 3.5]]])
    moved = _matrices.moved_points(point, _matrices.composed(shift, widen))
    np.testing.assert_allclose(numpy(moved)[0, 0], [4.5, 3.5], atol=1e-6)
