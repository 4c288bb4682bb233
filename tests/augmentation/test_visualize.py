"""The picture of what a layer does, taken apart again."""

import keras
import numpy as np
import pytest
from augmentations import images_of
from brighten import Brighten
from matplotlib.colors import to_rgb

from keras_regopt.augmentation import (
    Apply,
    Choice,
    Compose,
    RandomAffine,
    RandomGaussianNoise,
    visualize,
)
from keras_regopt.augmentation._pictures import color_of

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
            np.full((1, 2, 2, 1), 13107, "uint16"),
            RandomGaussianNoise(0.0, value_range=(0, 65535)),
            None,
            0.2,
        ),
        (np.full((1, 2, 2, 1), 13107, "int32"), quarter_turn(), None, 0.2),
        (np.full((1, 2, 2, 1), -0.5, "float32"), quarter_turn(), None, 0.25),
        (
            np.full((1, 2, 2, 1), 1023, "uint16"),
            RandomGaussianNoise(0.0, value_range=(0, 4092)),
            None,
            0.25,
        ),
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
    data = {"images": images_of(2, 2, 2, 1), "labels": labels}
    figure = visualize(RandomGaussianNoise(), data, draws=1, **arguments)
    return [axes.get_title() for axes in figure.axes[::2]]


def test_labels_are_written_above_with_their_shares():
    assert titles(np.array([2, 0])) == ["2", "0"]
    names = ["cat", "dog", "cow"]
    assert titles(np.array([2, 0]), class_names=names) == ["cow", "cat"]
    shares = np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]], "float32")
    assert titles(shares) == ["1: 75 %\n0: 25 %", "2"]
    assert titles(shares, class_names=names)[0] == "dog: 75 %\ncat: 25 %"


def test_labels_may_be_strings_and_several():
    names = ["cat", "dog", "cow"]
    for labels in (np.array(["a", "b"]), ["a", "b"], np.array([b"a", b"b"])):
        assert titles(labels) == titles(labels, class_names=names) == ["a", "b"]
    assert titles(np.array([[1], [2]]), class_names=names) == ["dog", "cow"]
    # Beyond the names.
    assert titles(np.array([3, -1]), class_names=names) == ["3", "-1"]
    labels = {"kind": np.array([1, 2]), "age": np.array([0.5, 2.5])}
    shown = titles(labels, class_names={"kind": names})
    assert shown == ["kind: dog\nage: 0.5", "kind: cow\nage: 2.5"]


def test_what_is_not_drawn_may_be_anything():
    data = {"images": images_of(2, 2, 2, 1), "epoch": 3, "names": "train"}
    assert len(visualize(RandomAffine(), data, draws=1).axes) == 4


CLASSES = np.array([[0, 0, 1, 1], [2, 2, 0, 0], [9, 9, 9, 0]])
ONE_HOT = np.eye(10, dtype="float32")[CLASSES]


@pytest.mark.parametrize(
    "mask",
    [
        CLASSES.astype("uint8"),
        CLASSES[..., None].astype("float32"),
        # With the background, and without it.
        ONE_HOT,
        ONE_HOT.astype("uint8"),
        ONE_HOT[..., 1:],
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masks_show_each_class_in_a_color_with_an_outline(mask, data_format):
    images = images_of(1, 3, 4, 3)
    if data_format == "channels_first":
        images = np.moveaxis(images, -1, 1)
        mask = np.moveaxis(mask, -1, 0) if mask.ndim == 3 else mask
    data = {"images": images, "segmentation_masks": mask[None]}
    layer = RandomGaussianNoise(data_format=data_format)
    axes = visualize(layer, data, draws=1).axes[1]
    fill = pictures(axes)[1]
    assert ((fill[..., 3] > 0.3) == (CLASSES > 0)).all()
    colors = {
        number: {tuple(color) for color in fill[number == CLASSES, :3]}
        for number in (1, 2, 9)
    }
    assert all(len(found) == 1 for found in colors.values())
    assert len(set.union(*colors.values())) == 3
    outlines = [line for line in axes.collections if len(line.get_paths())]
    assert len(outlines) == 3
    for outline, found in zip(outlines, colors.values(), strict=True):
        np.testing.assert_allclose(
            outline.get_edgecolor()[0, :3], next(iter(found))
        )
    # The outline of the first class lies between pixels 1 and 3 of the top.
    (path,) = outlines[0].get_paths()
    assert path.get_extents().bounds == pytest.approx((2, 0, 2, 1))


def test_more_classes_than_usual_colors_differ_too():
    colors = {tuple(np.ravel(color_of(i))) for i in range(40)}
    assert len(colors) == 40


@pytest.mark.parametrize("container", [Compose, Choice, Apply])
def test_containers_are_asked_for_the_format_of_the_boxes(container):
    inner = RandomAffine("horizontal", 0, 0, 0, bounding_box_format="coco")
    layers = inner if container is Apply else [Compose([inner]), inner]
    data = {
        "images": images_of(1, 4, 8, 3),
        "bounding_boxes": {
            "boxes": np.array([[[0.0, 0, 3, 2]]], "float32"),
            "classes": np.array([[[0, 0, 1]]]),
        },
    }
    axes = visualize(container(layers), data, draws=1).axes[0]
    (box,) = axes.patches
    assert box.get_bbox().bounds == (0, 0, 3, 2)
    assert box.get_edgecolor()[:3] == pytest.approx(to_rgb(color_of(2)))
    visualize(lambda x: x, data, draws=1, bounding_box_format="XYWH")


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
