import collections

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import RandomChannelShuffle


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def numbered(count, channels):
    """Images whose values tell channel and pixel."""
    values = np.arange(12 * channels).reshape(1, 3, 4, channels)
    return np.repeat(values, count, axis=0).astype("uint8")


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_whole_channels_change_places(channels):
    images = numbered(20, channels)
    result = numpy(RandomChannelShuffle(seed=0)(images))
    assert result.dtype == np.uint8
    for image, shuffled in zip(images, result, strict=True):
        order = shuffled[0, 0].tolist()
        assert sorted(order) == list(range(channels))
        np.testing.assert_array_equal(shuffled, image[..., order])


@pytest.mark.any_backend
def test_all_orders_are_equally_likely():
    orders = numpy(
        RandomChannelShuffle().sample((6000, 1, 1, 3), seed=1)["order"]
    )
    counts = collections.Counter(map(tuple, orders.tolist()))
    assert len(counts) == 6
    # Five standard deviations.
    bound = 5 * np.sqrt(6000 * (1 / 6) * (5 / 6))
    assert all(abs(count - 1000) < bound for count in counts.values())


@pytest.mark.any_backend
def test_sizes_and_channels_may_be_unknown_in_tf_data():
    images = numbered(4, 3)
    spec = tf.TensorSpec((None, None, None, None), "uint8")
    data = tf.data.Dataset.from_generator(
        lambda: [images], output_signature=spec
    )
    (result,) = data.map(RandomChannelShuffle(seed=0)).as_numpy_iterator()
    np.testing.assert_array_equal(np.sort(result, -1), images)
