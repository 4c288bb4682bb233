import keras
import numpy as np
import pytest

from keras_regopt.layers import DropBlock1D
from keras_regopt.testing._backend import to_numpy


def dropped(layer, shape):
    x = np.ones(shape, "float32")
    return to_numpy(layer(x, training=True)) == 0


@pytest.mark.parametrize("block_size", [1, 4])
def test_drops_spans_of_the_block_size_at_the_expected_rate(block_size):
    rate, length, maps = 0.2, 30, 2000
    layer = DropBlock1D(rate, block_size, seed=0)
    mask = dropped(layer, (maps // 10, length, 10))
    # A step is in the span of any of the last seeds, by a plain loop.
    starts = length - block_size + 1
    gamma = rate / block_size * length / starts
    kept = [
        (1 - gamma) ** (min(t, starts - 1) - max(0, t - block_size + 1) + 1)
        for t in range(length)
    ]
    # Five deviations of a mean, for each step by itself.
    tolerance = 5 * np.sqrt(0.25 / maps)
    np.testing.assert_allclose(1 - mask.mean(axis=(0, 2)), kept, atol=tolerance)
    for span in np.moveaxis(mask, 1, -1).reshape(-1, length):
        runs = "".join("x" if d else " " for d in span).split()
        assert all(len(run) >= block_size for run in runs)


@pytest.mark.any_backend
def test_takes_channels_first_like_channels_last():
    last = dropped(DropBlock1D(0.2, 3, "channels_last", 0), (2, 12, 4))
    first = dropped(DropBlock1D(0.2, 3, "channels_first", 0), (2, 4, 12))
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), first)


@pytest.mark.any_backend
@pytest.mark.parametrize("length", [12, 5, 2])
def test_drops_the_same_where_the_length_is_not_known(length):
    x = keras.ops.ones((4, length, 3))
    expected = to_numpy(DropBlock1D(0.3, 4, seed=0)(x, training=True))
    layer = DropBlock1D(0.3, 4, seed=0)
    model = keras.Sequential([keras.Input((None, 3)), layer])
    call = in_graph_of_any_shape(lambda x: model(x, training=True))
    if length >= 4:
        np.testing.assert_array_equal(to_numpy(call(x)), expected)
    else:
        # A graph cannot know that the blocks must be smaller here.
        kept = to_numpy(call(x)) != 0
        assert kept.shape == (4, length, 3)
        assert np.all(kept == kept[:, :1])


def in_graph_of_any_shape(function):
    """On TensorFlow, a function that is traced once for all shapes."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    shape = tf.TensorSpec((None, None, None), "float32")
    return tf.function(function, input_signature=[shape])
