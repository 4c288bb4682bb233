import keras
import numpy as np
import pytest

from keras_regopt.augmentation import (
    Apply,
    Choice,
    Compose,
    ImageAugmentation,
    MixUp,
    RandomAffine,
    RandomCrop,
    RandomGaussianNoise,
)

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (6, 8, 8, 3)).astype("float32")


class Add(ImageAugmentation):
    """Adds a number to images, and to their labels."""

    targets = frozenset({"labels"})

    def __init__(self, amount, **kwargs):
        super().__init__(**kwargs)
        self.amount = amount

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"amount": 0 * draw + self.amount}

    def apply(self, inputs, parameters):
        return inputs + parameters["amount"][:, None, None, None]

    def apply_to_labels(self, labels, parameters):
        return labels + parameters["amount"]


def shift(across, **options):
    """Shifts by a fraction of the width, and leaves black behind."""
    factors = {"flip": None, "rotation": 0, "zoom": 0}
    move = {"translation": (across, across), "fill_mode": "constant"}
    # The same number is down as well.
    return RandomAffine(**factors | move | options)


def turn(part, **options):
    factors = {"flip": None, "zoom": 0, "translation": 0}
    return RandomAffine(rotation=(part, part), **factors | options)


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_neighbours_that_move_pixels_are_one_warp():
    result = to_numpy(Compose([shift(0.5), shift(-0.5)])(IMAGES))
    # What had left the frame comes back.
    assert np.allclose(result, IMAGES, atol=1e-3)
    result = to_numpy(Compose([turn(0.125), turn(0.125)])(IMAGES))
    assert np.allclose(result, np.rot90(IMAGES, axes=(1, 2)), atol=0.01)


def test_boxes_masks_and_keypoints_follow_the_one_warp():
    data = {
        "images": IMAGES,
        "bounding_boxes": {
            "boxes": np.tile([[[1.0, 2.0, 4.0, 8.0]]], (6, 1, 1)),
            "labels": np.ones((6, 1)),
        },
        "segmentation_masks": IMAGES[..., :1].astype("int32"),
        "keypoints": np.tile([[[1.5, 2.5]]], (6, 1, 1)),
    }
    options = {"bounding_box_format": "xyxy"}
    layer = Compose([shift(0.5, **options), shift(-0.5, **options)])
    result = keras.tree.map_structure(to_numpy, layer(data))
    for key in ("segmentation_masks", "keypoints", "bounding_boxes"):
        keras.tree.map_structure(
            lambda new, old: np.testing.assert_allclose(new, old, atol=1e-4),
            result[key],
            data[key],
        )


@pytest.mark.any_backend
def test_layers_that_see_other_things_beyond_the_edge_stay_apart():
    layer = Compose([shift(0.5), shift(-0.5, fill_value=9.0)])
    result = to_numpy(layer(IMAGES))
    assert np.allclose(result[:, :4, :4], IMAGES[:, :4, :4], atol=1e-3)
    assert np.all(result[:, 4:] == 9)
    assert np.all(result[:, :, 4:] == 9)


@pytest.mark.any_backend
def test_a_rate_within_is_a_warp_that_does_nothing():
    layers = [shift(0.5), turn(0.25, fill_mode="constant", rate=0), shift(-0.5)]
    assert np.allclose(to_numpy(Compose(layers)(IMAGES)), IMAGES, atol=1e-3)


@pytest.mark.any_backend
def test_chains_within_chains_are_one_warp_too():
    layers = [shift(0.5), Compose([Apply(shift(-0.75), rate=1.0), shift(0.25)])]
    assert np.allclose(to_numpy(Compose(layers)(IMAGES)), IMAGES, atol=1e-3)


@pytest.mark.any_backend
def test_layers_follow_one_another():
    layer = Compose([Add(1), shift(0.5), Add(2)])
    labels = np.zeros(6, "float32")
    result = layer({"images": IMAGES, "labels": labels}, training=True)
    expected = np.full((6, 8, 8, 3), 2.0)
    expected[:, 4:, 4:] = IMAGES[:, :4, :4] + 3
    assert np.allclose(to_numpy(result["images"]), expected, atol=1e-3)
    assert np.array_equal(to_numpy(result["labels"]), labels + 3)


@pytest.mark.any_backend
def test_a_rate_is_for_all_layers_or_none():
    many = np.zeros((300, 2, 2, 1), "float32")
    for layer in (
        Compose([Add(1), Add(2)], rate=0.3, seed=0),
        Apply(Compose([Add(1), Add(2)]), rate=0.3, seed=0),
        Compose([Compose([Add(1), Add(2)], rate=0.3)], seed=0),
    ):
        sums = to_numpy(layer(many))[:, 0, 0, 0]
        assert set(sums) == {0, 3}
        assert 0.2 < np.mean(sums == 3) < 0.4


@pytest.mark.any_backend
def test_without_a_seed_each_layer_draws_from_its_own():
    alone = RandomAffine(seed=3)
    layer = Compose([RandomAffine(seed=3)])
    for _ in range(2):
        assert np.array_equal(to_numpy(layer(IMAGES)), to_numpy(alone(IMAGES)))


@pytest.mark.any_backend
def test_the_seeds_within_are_saved(tmp_path):
    layer = Compose([RandomAffine(), Apply(RandomGaussianNoise())])
    layer(IMAGES)
    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, layer(inputs)).save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras").layers[1]
    assert np.array_equal(to_numpy(layer(IMAGES)), to_numpy(again(IMAGES)))


@pytest.mark.any_backend
def test_layers_that_change_the_size_do_so_at_rest():
    layer = Compose([shift(0.25), RandomCrop(4, 4), Add(1)])
    assert layer(keras.Input((8, 8, 3))).shape == (None, 4, 4, 3)
    rest = to_numpy(layer(IMAGES, training=False))
    assert np.array_equal(rest, IMAGES[:, 2:6, 2:6])
    masks = IMAGES[..., 0].astype("int32")
    for training in (True, False):
        data = {"images": IMAGES, "segmentation_masks": masks}
        result = layer(data, training=training)
        assert result["images"].shape == (6, 4, 4, 3)
        assert result["segmentation_masks"].shape == (6, 4, 4)


@pytest.mark.any_backend
def test_one_layer_may_mix_images():
    layer = Compose([shift(0.0), Apply(MixUp(num_classes=3))], seed=0)
    data = {"images": IMAGES, "labels": np.arange(6) % 3}
    labels = to_numpy(layer(data)["labels"])
    assert labels.shape == (6, 3)
    assert 1 > labels.max(1).min() > 0.4
    rest = to_numpy(layer(data, training=False)["labels"])
    assert np.array_equal(rest, np.eye(3)[data["labels"]])
    with pytest.raises(ValueError, match=r"at most one mixes.*RandomMix"):
        Compose([MixUp(), Compose([MixUp()])])


@pytest.mark.any_backend
def test_refuses_what_it_cannot_hold():
    with pytest.raises(ValueError, match=r"keras\.Sequential"):
        Compose([keras.layers.RandomFlip()])
    with pytest.raises(ValueError, match="`layers` of Compose"):
        Compose([])
    with pytest.raises(ValueError, match="`data_format` of Apply"):
        Apply(RandomAffine(data_format="channels_first"))
    with pytest.raises(ValueError, match="`bounding_box_format` of RandomAff"):
        Compose([Add(1), RandomAffine()])(
            {"images": IMAGES, "bounding_boxes": {"boxes": np.ones((6, 1, 4))}}
        )


@pytest.mark.any_backend
def test_works_in_channels_first():
    first = {"data_format": "channels_first"}
    crop = RandomCrop(4, 6, **first)
    layer = Compose([Choice([turn(0.5, **first)], **first), crop], **first)
    images = IMAGES[:, :6].transpose(0, 3, 1, 2)
    masks = IMAGES[:, :6, :, 0]
    data = {"images": images, "segmentation_masks": masks}
    result = keras.tree.map_structure(to_numpy, layer(data, training=False))
    assert np.array_equal(result["images"], images[:, :, 1:5, 1:7])
    result = keras.tree.map_structure(to_numpy, layer(data))
    assert result["images"].shape == (6, 3, 4, 6)
    # The masks are the first channel, and still are.
    assert np.allclose(
        result["images"][:, 0], result["segmentation_masks"], atol=0.01
    )
