import itertools

import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomChannelDrop

IMAGES = np.random.default_rng(0).integers(1, 256, (900, 2, 3, 4), "uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_channels_go_as_are_asked_for(count):
    result = numpy(RandomChannelDrop(count, seed=0)(IMAGES))
    gone = (result == 0).all((1, 2))
    assert (gone.sum(-1) == count).all()
    kept = np.broadcast_to(~gone[:, None, None], IMAGES.shape)
    np.testing.assert_array_equal(result[kept], IMAGES[kept])
    # All choices are equally likely: five standard deviations.
    choices = list(itertools.combinations(range(4), count))
    share = 1 / len(choices)
    for choice in choices:
        drawn = gone[:, choice].all(-1).mean()
        assert abs(drawn - share) < 5 * np.sqrt(share * (1 - share) / 900)


@pytest.mark.any_backend
def test_the_fill_value_is_in_units_of_the_images():
    images = np.zeros((3, 2, 2, 3), "float32")
    result = numpy(RandomChannelDrop(fill_value=-0.5)(images))
    assert ((result == -0.5).all((1, 2)).sum(-1) == 1).all()
    # Of bytes, it is held within their bounds.
    result = numpy(RandomChannelDrop(fill_value=300)(images.astype("uint8")))
    assert ((result == 255).all((1, 2)).sum(-1) == 1).all()


@pytest.mark.any_backend
def test_refuses_to_drop_everything():
    with pytest.raises(ValueError, match="less than the number of channels, 1"):
        RandomChannelDrop()(IMAGES[..., :1])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [("count", 0), ("count", 1.5), ("count", (1, 2)), ("fill_value", None)],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomChannelDrop"):
        RandomChannelDrop(**{name: value})
