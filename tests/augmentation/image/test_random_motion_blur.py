import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from keras_regopt.augmentation import RandomMotionBlur


def images_of(*shape, dtype="float32"):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def kernel_of(length, angle, radius):
    """The formula of the docstring, one pixel after another."""
    size = 2 * radius + 1
    kernel = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            x, y = column - radius, radius - row
            line = np.array([np.cos(angle), np.sin(angle)])
            along = np.clip(line @ (x, y), (1 - length) / 2, (length - 1) / 2)
            distance = np.hypot(*(along * line - (x, y)))
            kernel[row, column] = max(1 - distance, 0)
    return kernel / kernel.sum()


@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("float32", 1)])
def test_follows_scipy_with_a_line_for_each_image(dtype, channels):
    images = images_of(4, 9, 12, channels, dtype=dtype)
    lengths = np.array([1.0, 2.5, 5.0, 7.0], "float32")
    angles = np.array([0.3, 0.0, 2.0, np.pi / 4], "float32")
    parameters = {
        "length": ops.convert_to_tensor(lengths),
        "angle": ops.convert_to_tensor(angles),
    }
    layer = RandomMotionBlur()
    layer.sample = lambda shape, seed: parameters
    result = numpy(layer(images))
    tolerance = 0.501 if dtype == "uint8" else 1e-3
    for i, image in enumerate(images):
        kernel = kernel_of(lengths[i], angles[i], 3)[..., None]
        expected = ndimage.correlate(
            image.astype("float64"), kernel, mode="reflect"
        )
        assert abs(result[i] - expected).max() < tolerance
    np.testing.assert_allclose(result[0], images[0], atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("turn", "step"),
    [(0, (0, 1)), (0.25, (1, 0)), (0.125, (-1, 1)), (-0.125, (1, 1))],
)
def test_the_line_has_the_direction_of_the_angle(turn, step):
    image = np.zeros((7, 7, 1), "float32")
    image[3, 3] = 1
    result = numpy(RandomMotionBlur(3, (turn, turn))(image))[..., 0]
    lit = np.zeros((7, 7), bool)
    for k in (-1, 0, 1):
        lit[3 + k * step[0], 3 + k * step[1]] = True
    assert result[lit].min() > 1.5 * result[~lit].max()
    assert result.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.any_backend
def test_lengths_and_angles_are_drawn_from_their_ranges():
    layer = RandomMotionBlur(length=(2, 4), angle=(0.1, 0.2))
    drawn = layer.sample((2000, 4, 4, 1), seed=0)
    lengths = numpy(drawn["length"])
    turns = numpy(drawn["angle"]) / (2 * np.pi)
    for values, low, high in ((lengths, 2, 4), (turns, 0.1, 0.2)):
        edge = (high - low) / 100
        assert low - 1e-6 <= values.min() < low + edge
        assert high - edge < values.max() <= high + 1e-6
    assert abs(np.corrcoef(lengths, turns)[0, 1]) < 5 / np.sqrt(2000)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"), [("length", 0.5), ("length", (3, 2)), ("angle", 2)]
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomMotionBlur"):
        RandomMotionBlur(**{name: value})
