import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomPerspective


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def matrices(scale, shape, seed=0):
    layer = RandomPerspective(scale=scale)
    matrix = numpy(layer.sample(shape, seed=seed)["matrix"])
    return matrix.astype("float64")


def corners(height, width):
    # The edges of the image, counted from the center of the first pixel.
    edges = [[0, 0], [width, 0], [width, height], [0, height]]
    return np.array(edges, "float64") - 0.5


def mapped(matrices, points):
    points = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    u, v, w = np.moveaxis(points @ np.swapaxes(matrices, 1, 2), -1, 0)
    return np.stack([u / w, v / w], axis=-1), w


def by_eight_equations(there, here):
    """The matrix that takes four points `there` to four points `here`."""
    rows, values = [], []
    for (x, y), (u, v) in zip(there, here, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        values += [u, v]
    return np.append(np.linalg.solve(rows, values), 1).reshape(3, 3)


def test_the_matrix_solves_the_eight_equations_of_the_corners():
    height, width = 20, 33
    start = corners(height, width)
    for matrix in matrices(0.4, (20, height, width, 3)):
        (end,), _ = mapped(np.linalg.inv(matrix)[None], start)
        expected = by_eight_equations(end, start)
        found = matrix / matrix[2, 2]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.any_backend
def test_every_corner_moves_evenly_and_by_itself():
    height, width, scale, count = 20, 33, 0.4, 4000
    start = corners(height, width)
    inverse = np.linalg.inv(matrices(scale, (count, height, width, 3)))
    end, _ = mapped(inverse, start)
    shift = ((end - start) / [width, height]).reshape(count, 8)
    reach = scale / 2
    assert np.abs(shift).max() < reach + 1e-4
    assert (np.abs(shift).max(axis=0) > 0.99 * reach).all()
    spread = 2 * reach / np.sqrt(12 * count)
    assert (np.abs(shift.mean(axis=0)) < 5 * spread).all()
    correlations = np.corrcoef(shift.T)[np.triu_indices(8, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(count)


@pytest.mark.any_backend
def test_no_image_is_folded_at_the_greatest_scale():
    height, width = 20, 33
    inverse = np.linalg.inv(matrices(0.5, (4000, height, width, 3)))
    end, w = mapped(inverse, corners(height, width))
    # Everything of the image lies before the eye, and it keeps its side.
    assert (w > 0).all()
    sides = np.roll(end, -1, axis=1) - end
    following = np.roll(sides, -1, axis=1)
    turns = (
        sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
    )
    assert (turns > 0).all()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", 0.6),
        ("scale", -0.1),
        ("scale", (0, 0.3)),
        ("fill_mode", "mirror"),
        ("interpolation", "lanczos"),
        ("min_visibility", 1.5),
        ("bounding_box_format", "xyhw"),
        ("fill_value", None),
    ],
)
def test_refuses_bad_arguments(name, value):
    match = f"`{name}` of RandomPerspective must be"
    with pytest.raises(ValueError, match=match):
        RandomPerspective(**{name: value})
