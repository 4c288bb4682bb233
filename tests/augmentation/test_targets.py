"""Targets of a dataset move with the pixels of their images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    Compose,
    CutMix,
    RandomAffine,
    RandomGaussianNoise,
    RandomInvert,
    map_dataset,
)

IMAGES = np.zeros((2, 8, 8, 3), "float32")
IMAGES[:, :2] = 255
MASKS = (IMAGES[..., :1] > 0).astype("uint8")
IDS = np.arange(2)
BOXES = np.array([[[0, 0, 8, 2]]] * 2, "float32")
# After a quarter of a turn, counterclockwise.
TURNED = [[0, 0, 2, 8]]


def quarter(**arguments):
    return RandomAffine(
        flip=None, rotation=(0.25, 0.25), zoom=0, translation=0, **arguments
    )


def first_of(layer, *element, targets=None, batch=2):
    dataset = tf.data.Dataset.from_tensor_slices(element)
    dataset = dataset.batch(batch) if batch else dataset
    mapped = map_dataset(dataset, layer, targets=targets)
    assert mapped.element_spec[0].shape[1:] == dataset.element_spec[0].shape[1:]
    return next(mapped.as_numpy_iterator())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "targets", "masks", "batch"),
    [
        (quarter, None, MASKS, 2),
        (quarter, None, MASKS[..., 0], None),
        (quarter, "segmentation_masks", IMAGES, 2),
        (quarter, "segmentation_masks", MASKS[..., 0], 2),
        (lambda: Compose([quarter()]), None, MASKS[..., 0], 2),
        (lambda: Compose([quarter()]), None, IMAGES, None),
        (lambda: Compose([quarter()]), "segmentation_masks", MASKS, None),
    ],
)
def test_masks_turn_with_their_images(make, targets, masks, batch):
    x, y = first_of(make(), IMAGES, masks, targets=targets, batch=batch)
    assert y.dtype == masks.dtype
    expected = np.swapaxes(masks, 1, 2)
    np.testing.assert_array_equal(y, expected if batch else expected[0])
    seen = y if y.ndim == x.ndim else y[..., None]
    assert ((x > 127)[..., :1] == (seen > 0)[..., :1]).all()


@pytest.mark.any_backend
def test_masks_of_images_of_an_unknown_size_are_known_by_their_rank():
    specs = tf.TensorSpec((None, None, 3)), tf.TensorSpec((None, None, 1))
    dataset = tf.data.Dataset.from_generator(
        lambda: [(IMAGES[0], MASKS[0])], output_signature=specs
    )
    ((_, y),) = map_dataset(dataset, quarter()).as_numpy_iterator()
    np.testing.assert_array_equal(y, np.swapaxes(MASKS[0], 0, 1))


@pytest.mark.any_backend
def test_boxes_turn_with_their_images():
    layer = quarter(bounding_box_format="xyxy")
    target = {"boxes": BOXES, "labels": IDS[:, None], "scores": IDS[:, None]}
    _, y = first_of(layer, IMAGES, target)
    np.testing.assert_allclose(y["boxes"], [TURNED] * 2, atol=1e-4)
    assert y["labels"].tolist() == y["scores"].tolist() == [[0], [1]]
    _, y = first_of(layer, IMAGES, BOXES, targets="bounding_boxes")
    np.testing.assert_allclose(y, [TURNED] * 2, atol=1e-4)


@pytest.mark.any_backend
def test_keypoints_turn_with_their_images():
    points = np.array([[[8.0, 2.0]]] * 2, "float32")
    _, y = first_of(quarter(), IMAGES, points, targets="keypoints")
    np.testing.assert_allclose(y, [[[2, 0]]] * 2, atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("names", "targets"),
    [
        (("labels", "segmentation_masks"), None),
        (
            ("class", "mask"),
            {"class": "labels", "mask": "segmentation_masks"},
        ),
        (("class", "mask"), {"mask": "segmentation_masks"}),
    ],
)
def test_targets_of_several_heads_go_by_their_keys(names, targets):
    labels, masks = names
    y = {labels: IDS, masks: MASKS}
    _, y = first_of(quarter(), IMAGES, y, targets=targets)
    assert y[labels].tolist() == [0, 1]
    np.testing.assert_array_equal(y[masks], np.swapaxes(MASKS, 1, 2))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "labels", [IDS, np.eye(2), IDS[:, None], {"a": IDS, "b": np.eye(2)}]
)
def test_labels_stay_as_they_are(labels):
    _, y = first_of(quarter(), IMAGES, labels)
    keras.tree.map_structure(np.testing.assert_array_equal, y, labels)


@pytest.mark.any_backend
def test_a_layer_that_moves_nothing_takes_any_targets():
    for layer in (RandomInvert(), RandomGaussianNoise()):
        _, y = first_of(layer, IMAGES, IMAGES[:, 1:])
        np.testing.assert_array_equal(y, IMAGES[:, 1:])


@pytest.mark.any_backend
def test_cut_mix_cuts_masks_and_does_not_average_them():
    images = np.zeros((2, 8, 8, 1), "float32")
    images[1] = 255
    x, y = first_of(CutMix(seed=1), images, images / 255)
    assert 0 < y[0].mean() < 1
    np.testing.assert_array_equal(x, 255 * y)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "y",
    [
        MASKS[:, ::2, ::2],
        MASKS[..., :4, 0],
        BOXES,
        {"class": IDS, "mask": MASKS},
        (IDS, MASKS),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_remedy(y):
    says = "what must move along.*Set `targets`.*'segmentation_masks': y"
    with pytest.raises(ValueError, match=says):
        first_of(quarter(), IMAGES, y)


@pytest.mark.any_backend
def test_what_is_called_labels_stays_whatever_it_is():
    _, y = first_of(quarter(), IMAGES, BOXES, targets="labels")
    np.testing.assert_array_equal(y, BOXES)


@pytest.mark.any_backend
def test_weights_of_pixels_are_refused_where_pixels_move():
    weights = np.ones((2, 8, 8), "float32")
    with pytest.raises(ValueError, match="weights of single pixels"):
        first_of(quarter(), IMAGES, MASKS, weights)
    *_, same = first_of(quarter(), IMAGES, MASKS, weights[:, 0, 0])
    assert same.tolist() == [1, 1]
    *_, same = first_of(RandomInvert(), IMAGES, MASKS, weights)
    assert same.shape == (2, 8, 8)


@pytest.mark.any_backend
def test_a_sequential_cannot_take_masks_along():
    model = keras.Sequential([keras.Input((8, 8, 3)), quarter()])
    with pytest.raises(ValueError, match=r"Compose\(\[...\]\)"):
        first_of(model, IMAGES, MASKS)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "targets", ["masks", 1, {"a": "mask"}, {"a": "labels", "b": "labels"}]
)
def test_targets_must_be_kinds_that_are_known(targets):
    with pytest.raises(ValueError, match="`targets` of map_dataset must be"):
        first_of(quarter(), IMAGES, MASKS, targets=targets)


@pytest.mark.any_backend
def test_keys_of_targets_must_be_there():
    with pytest.raises(ValueError, match="`targets` of map_dataset must be"):
        first_of(quarter(), IMAGES, {"a": IDS}, targets={"b": "labels"})
