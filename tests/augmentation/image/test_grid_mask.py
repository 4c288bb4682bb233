import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import GridMask


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def holes_of(layer, shape, parameters):
    images = ops.ones((*shape, 1))
    return numpy(layer.apply(images, parameters))[..., 0] == 0


@pytest.mark.parametrize("rotation", [0.0, 0.5])
def test_the_holes_are_those_of_the_formula(rotation):
    shape = (5, 23, 31)
    layer = GridMask(ratio=(0.3, 0.7), rotation=rotation)
    parameters = layer.sample((*shape, 1), seed=4)
    holes = holes_of(layer, shape, parameters)
    drawn = {name: numpy(value) for name, value in parameters.items()}
    y, x = np.mgrid[:23, :31].astype("float64")
    for image, hole in enumerate(holes):
        p = {name: float(value[image]) for name, value in drawn.items()}
        cosine, sine = np.cos(p["angle"]), np.sin(p["angle"])
        across = (cosine * x + sine * y + p["right"]) % p["period"]
        down = (cosine * y - sine * x + p["down"]) % p["period"]
        expected = (across < p["length"]) & (down < p["length"])
        # A pixel right on an edge may fall to either side in single precision.
        sure = np.ones_like(hole)
        for place in (across, down) if rotation else ():
            for edge in (0, p["length"], p["period"]):
                sure &= abs(place - edge) > 1e-3
        assert sure.mean() > 0.9
        np.testing.assert_array_equal(hole[sure], expected[sure])


@pytest.mark.any_backend
def test_periods_ratios_and_shifts_have_their_ranges():
    layer = GridMask(ratio=(0.2, 0.6), period=(0.1, 0.4))
    drawn = layer.sample((3000, 100, 200, 3), seed=0)
    drawn = {name: numpy(value) for name, value in drawn.items()}
    periods = drawn["period"]
    assert set(periods) == set(range(10, 41))
    ratios = drawn["length"] / periods
    assert 0.15 < ratios.min() < 0.22
    assert 0.58 < ratios.max() < 0.65
    for name in ("down", "right"):
        assert (drawn[name] >= 0).all()
        assert (drawn[name] < periods).all()
        share = drawn[name] / (periods - 1)
        # Five standard errors of the mean of an even distribution.
        assert abs(share.mean() - 0.5) < 5 / np.sqrt(12 * 3000) + 0.01
    assert (drawn["angle"] == 0).all()


@pytest.mark.any_backend
def test_no_period_is_shorter_than_two_pixels():
    layer = GridMask(ratio=0.5, period=0.01)
    assert numpy(layer(np.ones((3, 10, 10, 1)))).sum() == 3 * 75


@pytest.mark.any_backend
@pytest.mark.parametrize(("ratio", "left"), [(0.0, 1), (1.0, 0)])
def test_all_or_nothing_may_go(ratio, left):
    images = np.ones((2, 9, 9, 3), "uint8")
    assert (numpy(GridMask(ratio=ratio)(images)) == left).all()


@pytest.mark.any_backend
def test_masks_can_be_erased_along():
    data = {
        "images": np.ones((3, 9, 8, 3), "uint8"),
        "segmentation_masks": np.full((3, 9, 8, 1), 5, "uint8"),
    }
    outputs = GridMask(erase_masks=True, rotation=1, seed=0)(data)
    masks = numpy(outputs["segmentation_masks"])
    np.testing.assert_array_equal(masks, 5 * numpy(outputs["images"])[..., :1])
    outputs = GridMask(seed=0)(data)
    assert (numpy(outputs["segmentation_masks"]) == 5).all()


@pytest.mark.any_backend
def test_masks_may_be_boolean():
    data = {
        "images": np.ones((3, 9, 8, 1), "float32"),
        "segmentation_masks": np.ones((3, 9, 8), bool),
    }
    outputs = GridMask(erase_masks=True, seed=0)(data)
    masks = numpy(outputs["segmentation_masks"])
    np.testing.assert_array_equal(masks, numpy(outputs["images"])[..., 0] == 1)
    assert masks.dtype == bool


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [("ratio", 1.1), ("period", 0), ("period", (0.5, 3)), ("rotation", 2)],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of GridMask"):
        GridMask(**{name: value})
