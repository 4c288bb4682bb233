import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import RandomColor

OFF = {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_of(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


@pytest.mark.parametrize("name", list(OFF))
def test_a_number_is_a_range_about_no_change(name):
    nothing = 0 if name == "hue" else 1
    layer = RandomColor(**{**OFF, name: 0.3}, seed=0)
    changes = layer.sample((2000, 1, 1, 3), seed=1)
    for other, draws in changes.items():
        draws = numpy(draws) - (other != "hue")
        if other != name:
            assert (draws == 0).all()
            continue
        assert -0.3 <= draws.min() < -0.295
        assert 0.295 < draws.max() <= 0.3001
        # Half of all go either way: five standard deviations.
        assert abs((draws > 0).mean() - 0.5) < 5 * np.sqrt(0.25 / 2000)
    pair = RandomColor(**{**OFF, name: (0.1, 0.2)}).sample((9, 1, 1, 3), 1)
    assert (numpy(pair[name]) >= nothing + 0.099).all()


@pytest.mark.any_backend
def test_the_four_changes_are_drawn_apart():
    draws = RandomColor(0.2, 0.2, 0.2, 0.2).sample((2000, 1, 1, 3), seed=1)
    correlations = np.corrcoef([numpy(d) for d in draws.values()])
    assert abs(correlations - np.eye(4)).max() < 5 / np.sqrt(2000)


@pytest.mark.any_backend
def test_without_a_change_images_stay():
    images = images_of(3, 17, 18, 3)
    for layer in (RandomColor(**OFF), RandomColor(0, (0, 0), 0, (0, 0))):
        np.testing.assert_array_equal(numpy(layer(images)), images)


@pytest.mark.any_backend
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_each_image_changes_by_its_own_draws(channels):
    images = images_of(4, 5, 6, channels)
    layer = RandomColor(0.5, 0.5, 0.5, 0.2, seed=0)
    parameters = layer.sample(images.shape, seed=3)
    together = numpy(layer.apply(ops.convert_to_tensor(images), parameters))
    swapped = {name: ops.flip(draw) for name, draw in parameters.items()}
    other = numpy(
        layer.apply(ops.convert_to_tensor(images[::-1].copy()), swapped)
    )
    np.testing.assert_array_equal(together, other[::-1])
    assert len({float(b) for b in numpy(parameters["brightness"])}) == 4


@pytest.mark.any_backend
def test_changes_that_need_no_matrix_agree_with_those_that_do():
    images = images_of(3, 5, 6, 3)
    plain = RandomColor(0.5, 0.5, 0, 0, seed=1)
    # Of a hue this small, nothing is seen.
    matrix = RandomColor(0.5, 0.5, 0, 1e-9, seed=1)
    difference = numpy(plain(images)).astype(int) - numpy(matrix(images))
    assert abs(difference).max() <= 1


@pytest.mark.any_backend
def test_bytes_do_not_wrap_around():
    images = np.array([[[[250, 250, 250], [3, 3, 3]]]], "uint8")
    bright = RandomColor(**{**OFF, "brightness": (1, 1)})(images)
    assert numpy(bright)[0, 0].tolist() == [[255] * 3, [6] * 3]
    black = RandomColor(**{**OFF, "brightness": (-1, -1)})(images)
    assert (numpy(black) == 0).all()


@pytest.mark.any_backend
def test_sizes_and_channels_may_be_unknown_in_tf_data():
    images = images_of(2, 17, 18, 3)
    # Whatever is drawn, the result is the same: all grey, of one luma.
    layer = RandomColor(0, (-1, -1), (-1, -1), 0.5)
    spec = tf.TensorSpec((None, None, None, None), "uint8")
    data = tf.data.Dataset.from_generator(
        lambda: [images], output_signature=spec
    )
    (result,) = data.map(layer).as_numpy_iterator()
    luma = (images @ np.array([0.299, 0.587, 0.114])).mean((1, 2))
    expected = np.broadcast_to(luma[:, None, None, None], images.shape)
    np.testing.assert_array_equal(result, np.round(expected))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("brightness", 1.1),
        ("contrast", (0.2, 0.1)),
        ("saturation", -0.1),
        ("hue", 0.6),
        ("value_range", (1, 1)),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomColor"):
        RandomColor(**{name: value})
