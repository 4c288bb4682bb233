"""The picture of what a layer does, taken apart again."""

import keras
import numpy as np
import pytest
from augmentations import images_of
from brighten import Brighten

from keras_regopt.augmentation import (
    RandomAffine,
    RandomGaussianNoise,
    visualize,
)

pytestmark = pytest.mark.any_backend


def pictures(axes):
    return [np.asarray(picture.get_array()) for picture in axes.get_images()]


def quarter_turn(**kwargs):
    return RandomAffine(
        flip=None, rotation=(0.25, 0.25), zoom=0, translation=0, **kwargs
    )


def test_a_row_is_an_image_and_its_draws():
    images = images_of(3, 4, 6, 3)
    figure = visualize(RandomGaussianNoise(0.1), images, draws=2)
    assert len(figure.axes) == 9
    for row in range(3):
        first, *others = [
            pictures(a)[0] for a in figure.axes[3 * row : 3 * row + 3]
        ]
        np.testing.assert_allclose(first, images[row] / 255, atol=1e-6)
        assert (others[0] != others[1]).any()


def test_a_seed_gives_one_picture_and_other_draws_are_left_alone():
    images = images_of(2, 4, 4, 1)
    seen, unseen = (RandomGaussianNoise(seed=3) for _ in range(2))
    first, second = (
        [pictures(axes)[0] for axes in visualize(seen, images).axes]
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(x(images)) for x in (seen, unseen))
    )


@pytest.mark.parametrize(
    ("images", "layer", "value_range", "expected"),
    [
        (np.full((1, 2, 2, 1), 0.5, "float32"), quarter_turn(), None, 0.5),
        (np.full((1, 2, 2, 1), 51.0, "float32"), quarter_turn(), None, 0.2),
        (np.full((1, 2, 2, 1), 51, "uint8"), quarter_turn(), None, 0.2),
        (np.full((1, 2, 2, 1), True), quarter_turn(), None, 1.0),
        (np.full((1, 2, 2, 1), 4.0, "float32"), quarter_turn(), (0, 16), 0.25),
        (
            np.full((1, 2, 2, 1), 0.0, "float32"),
            RandomGaussianNoise(0.0, value_range=(-1, 1)),
            None,
            0.5,
        ),
    ],
)
def test_values_are_shown_within_their_range(
    images, layer, value_range, expected
):
    figure = visualize(layer, images, draws=1, value_range=value_range)
    for axes in figure.axes:
        np.testing.assert_allclose(pictures(axes)[0], expected, atol=1e-6)


def test_what_belongs_to_an_image_is_drawn_where_the_layer_moves_it():
    mask = np.zeros((1, 4, 8), "uint8")
    mask[0, :2, :3] = 1
    data = {
        "images": images_of(1, 4, 8, 3),
        "segmentation_masks": mask,
        "bounding_boxes": {
            "boxes": np.array([[[0.0, 0, 3, 2], [0, 0, 0, 0]]], "float32"),
            "labels": np.array([[1, -1]]),
        },
        "keypoints": np.array([[[3.0, 2.0]]], "float32"),
    }
    layer = RandomAffine(
        "horizontal", 0, 0, 0, rate=1.0, bounding_box_format="xyxy", seed=0
    )
    figure = visualize(layer, data, draws=8)
    lefts = []
    for axes in figure.axes:
        (box,) = axes.patches
        lefts.append(box.get_x())
        assert box.get_bbox().bounds == (lefts[-1], 0, 3, 2)
        columns = np.flatnonzero(pictures(axes)[1][0, :, 3])
        assert columns.tolist() == list(
            range(round(lefts[-1]), round(lefts[-1]) + 3)
        )
        (points,) = axes.get_lines()
        assert points.get_xdata() == (3 if lefts[-1] == 0 else 5)
    # As it came, and either way.
    assert lefts[0] == 0
    assert set(lefts) == {0, 5}


def titles(labels, **arguments):
    data = {"images": images_of(len(labels), 2, 2, 1), "labels": labels}
    figure = visualize(RandomGaussianNoise(), data, draws=1, **arguments)
    return [axes.get_title() for axes in figure.axes[::2]]


def test_labels_are_written_above_with_their_shares():
    assert titles(np.array([2, 0])) == ["2", "0"]
    names = ["cat", "dog", "cow"]
    assert titles(np.array([2, 0]), class_names=names) == ["cow", "cat"]
    shares = np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]], "float32")
    assert titles(shares) == ["1: 75 %\n0: 25 %", "2"]
    assert titles(shares, class_names=names)[0] == "dog: 75 %\ncat: 25 %"


def test_channels_first_pipelines_and_functions_are_shown_too():
    images = images_of(2, 3, 4, 5)
    layer = Brighten(data_format="channels_first")
    figure = visualize(layer, images, draws=1)
    assert pictures(figure.axes[0])[0].shape == (4, 5, 3)
    images = np.zeros((2, 4, 5, 1), "uint8")
    for several in (
        keras.layers.Pipeline([Brighten(), Brighten()]),
        lambda x: Brighten()(Brighten()(x)),
    ):
        figure = visualize(several, images, draws=1)
        np.testing.assert_allclose(pictures(figure.axes[1])[0], 200 / 255)


def test_the_picture_is_saved(tmp_path):
    path = tmp_path / "picture.png"
    visualize(Brighten(), images_of(1, 2, 2, 4), draws=1, path=path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"draws": 0}, "`draws` of visualize must be an integer >= 1"),
        ({"images": images_of(4, 4, 1)}, r"write `images=image\[None\]`"),
        ({"images": {"image": 1}}, "with 'images'"),
        ({"value_range": (1, 0)}, "two growing numbers"),
        (
            {"images": {"images": images_of(1, 4, 4, 1), "bounding_boxes": {}}},
            "`bounding_box_format` of visualize must be one of",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    arguments = {"images": images_of(1, 4, 4, 1)} | arguments
    with pytest.raises(ValueError, match=message):
        visualize(RandomAffine(), **arguments)
