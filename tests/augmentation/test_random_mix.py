import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import (
    AudioCutMix,
    AudioMixUp,
    CutMix,
    MixUp,
    Mosaic,
    RandomMix,
)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_of(batch, dtype="float32"):
    images = np.random.default_rng(0).uniform(0, 255, (batch, 6, 8, 3))
    return images.astype(dtype)


def fixed(layer, shape, seed=0):
    """The layer with certain parameters, and these."""
    mixing = layer.parts[0]
    parameters = mixing.sample(shape, seed=seed)
    mixing.sample = lambda shape, seed: parameters
    return layer, parameters


def choices(layer):
    """The layers for all pairs of two draws, in eighty even steps each."""
    steps = (np.arange(80, dtype="float32") + 0.5) / 80
    turn, coin = np.repeat(steps, 80), np.tile(steps, 80)
    turn, coin = ops.convert_to_tensor(turn), ops.convert_to_tensor(coin)
    return numpy(layer.parts[0].choice(turn, coin))


@pytest.mark.any_case
@pytest.mark.parametrize("per", ["image", "batch"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_each_image_is_what_the_layer_it_drew_makes_of_it(per, dtype):
    images, masks = images_of(12, dtype), images_of(12, "uint8")[..., 0]
    drawn = set()
    for seed in range(1 if per == "image" else 6):
        inner = [MixUp(1.0), CutMix(), Mosaic()]
        layer, parameters = fixed(RandomMix(inner, per=per), images.shape, seed)
        found = layer({"images": images, "segmentation_masks": masks})
        numbers = numpy(parameters["choice"])
        assert (len(set(numbers)) == 1) == (per == "batch")
        drawn.update(numbers)
        for i, number in enumerate(numbers):
            part = parameters["layers"][number]
            alone = inner[number]
            alone.sample = lambda shape, seed, part=part: part
            expected = alone({"images": images, "segmentation_masks": masks})
            for key, values in expected.items():
                np.testing.assert_allclose(
                    numpy(found[key])[i], numpy(values)[i], atol=1e-4
                )
    assert drawn == {0, 1, 2}


@pytest.mark.any_backend
def test_layers_are_drawn_in_proportion_to_their_probabilities():
    layer = RandomMix([MixUp(), CutMix(), Mosaic()], probabilities=[1, 2, 5])
    assert np.bincount(choices(layer)).tolist() == [800, 1600, 4000]
    even = RandomMix([MixUp(), CutMix()])
    assert np.bincount(choices(even)).tolist() == [3200, 3200]


@pytest.mark.any_backend
@pytest.mark.parametrize("per", ["image", "batch"])
def test_the_rates_of_the_layers_hold(per):
    inner = [MixUp(1.0, rate=0.5), CutMix(rate=0.0)]
    layer = RandomMix(inner, per=per, num_classes=12, seed=0)
    for _ in range(4):
        data = {"images": images_of(12), "labels": np.arange(12)}
        outputs = layer(data)
        labels = numpy(outputs["labels"])
        spared = labels.max(axis=1) == 1
        assert spared.any()
        np.testing.assert_array_equal(labels[spared], np.eye(12)[spared])
        same = (numpy(outputs["images"]) == data["images"]).all((1, 2, 3))
        np.testing.assert_array_equal(same, spared)
    drawn = choices(RandomMix(inner))
    assert np.bincount(drawn + 1).tolist() == [4800, 1600]


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_there_is_room_for_the_boxes_of_every_layer(rate):
    boxes = np.tile(np.array([1, 1, 7, 5], "float32"), (12, 1, 1))
    data = {
        "images": images_of(12),
        "bounding_boxes": {"boxes": boxes, "labels": np.arange(12)[:, None]},
    }
    inner = [MixUp(1.0), CutMix(), Mosaic()]
    layer = RandomMix(inner, bounding_box_format="xyxy", rate=rate)
    layer, parameters = fixed(layer, (12, 6, 8, 3))
    found = layer(data)["bounding_boxes"]
    found = {key: numpy(value) for key, value in found.items()}
    assert found["boxes"].shape == (12, 4, 4)
    spared = 0
    for i, number in enumerate(numpy(parameters["choice"])):
        part = parameters["layers"][number]
        cls = type(inner[number])
        alone = cls(bounding_box_format="xyxy")
        alone.sample = lambda shape, seed, part=part: part
        expected = alone(data)["bounding_boxes"]
        count = alone.mixed_count
        labels = numpy(expected["labels"])[i]
        if found["labels"][i].tolist() == [i, -1, -1, -1] and rate < 1:
            spared += 1
            continue
        np.testing.assert_allclose(
            found["boxes"][i, :count], numpy(expected["boxes"])[i], atol=1e-4
        )
        assert found["labels"][i, :count].tolist() == labels.tolist()
        assert (found["labels"][i, count:] == -1).all()
    assert (spared > 0) == (rate < 1)


@pytest.mark.any_backend
def test_what_is_set_on_the_layers_counts_and_must_agree():
    layer = RandomMix(
        [MixUp(num_classes=3), CutMix(bounding_box_format="xyxy")]
    )
    assert layer.num_classes == 3
    assert layer.bounding_box_format == "xyxy"
    with pytest.raises(ValueError, match="`num_classes` of RandomMix"):
        RandomMix([MixUp(num_classes=3), CutMix(num_classes=4)])
    with pytest.raises(ValueError, match="`num_classes` of RandomMix"):
        RandomMix([MixUp(num_classes=3)], num_classes=4)


@pytest.mark.any_backend
def test_mixes_may_hold_mixes():
    inner = RandomMix([Mosaic(), CutMix()])
    layer = RandomMix([MixUp(), inner], num_classes=3, seed=0)
    ids = np.arange(12) % 3
    colors = np.eye(3, dtype="float32")[ids][:, None, None]
    images = np.ones((12, 6, 8, 1), "float32") * colors
    outputs = layer({"images": images, "labels": ids})
    seen = numpy(outputs["images"]).mean((1, 2))
    np.testing.assert_allclose(numpy(outputs["labels"]), seen, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"layers": []}, "`layers` of RandomMix must be a list of layers"),
        ({"layers": MixUp()}, "`layers` of RandomMix must be a list"),
        ({"layers": [MixUp(), 3]}, "`layers` of RandomMix must be a list"),
        ({"probabilities": [1]}, "a list of 2 numbers > 0"),
        ({"probabilities": [1, 0]}, "`probabilities` of RandomMix must be"),
        ({"per": "pixel"}, "`per` of RandomMix must be one of"),
    ],
)
def test_bad_arguments_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        RandomMix(**{"layers": [MixUp(), CutMix()], **arguments})


def test_clips_are_mixed_by_the_layer_that_they_drew():
    random = np.random.default_rng(0)
    clips = random.uniform(-0.5, 0.5, (16, 40)).astype("float32")
    data = {
        "audio": clips,
        "labels": np.arange(16),
        "lengths": np.full(16, 30),
        "targets": clips / 2,
    }
    layer = RandomMix(
        [AudioMixUp(1.0), AudioCutMix()], num_classes=16, rate=0.8, seed=1
    )
    found = {key: numpy(value) for key, value in layer(data).items()}
    labels = found["labels"]
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-5)
    whole = labels.max(axis=1) == 1
    same = (found["audio"] == clips).all(axis=1)
    np.testing.assert_array_equal(same, whole)
    assert 1 <= same.sum() <= 8
    # A piece of a clip is left as it was by a cut, and by no blend.
    pieces = (found["audio"][:, :30] == clips[:, :30]).mean(axis=1)
    cut = (pieces > 0) & ~same
    assert 2 <= cut.sum() <= 14
    weights = labels[np.arange(16), np.arange(16)]
    np.testing.assert_allclose(pieces[cut], weights[cut], atol=1e-5)
    for i in np.flatnonzero(~cut & ~same):
        blend = labels[i] @ np.where(np.arange(40) < 30, clips, 0)
        np.testing.assert_allclose(found["audio"][i], blend, atol=1e-5)
    np.testing.assert_allclose(
        found["targets"][~same], found["audio"][~same] / 2, atol=1e-6
    )
    assert found["lengths"].tolist() == [30] * 16


@pytest.mark.any_backend
def test_what_mixes_clips_and_images_is_kept_apart():
    with pytest.raises(ValueError, match="one kind of data"):
        RandomMix([AudioMixUp(), MixUp()])
    with pytest.raises(ValueError, match="bounding_box_format"):
        RandomMix([AudioMixUp()], bounding_box_format="xyxy")
    with pytest.warns(UserWarning, match="but not their labels"):
        RandomMix([AudioMixUp()])(np.zeros((4, 20), "float32"))
    nested = RandomMix([RandomMix([AudioMixUp()]), AudioCutMix()])
    assert nested({"audio": np.ones((4, 20), "float32")})["audio"].shape[0] == 4
