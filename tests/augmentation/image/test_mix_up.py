import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import Compose, MixUp


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def by_the_paper(images, sources, shares):
    """Equation 1 of Zhang et al. 2018, image by image."""
    results = []
    for (own, other), (share, _) in zip(sources, shares, strict=True):
        first, second = images[[own, other]].astype("float64")
        results.append(share * first + (1 - share) * second)
    return np.array(results)


def sampled(layer, batch, seed=0):
    parameters = layer.sample((batch, 4, 4, 1), seed=seed)
    return numpy(parameters["sources"]), numpy(parameters["weights"])


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int16"])
def test_follows_the_paper_on_the_same_draws(dtype):
    images = np.random.default_rng(0).uniform(0, 255, (6, 5, 4, 3))
    images = images.astype(dtype)
    layer = MixUp(1.0)
    parameters = layer.sample(images.shape, seed=3)
    # The whole way, with these draws in place of others.
    layer.sample = lambda shape, seed: parameters
    found = numpy(layer(images))
    expected = by_the_paper(images, *sampled(MixUp(1.0), 6, seed=3))
    assert found.dtype == dtype
    if dtype == "float32":
        np.testing.assert_allclose(found, expected, atol=1e-4)
    else:
        # Halves may go either way.
        assert np.abs(found - expected).max() <= 0.5 + 1e-4


@pytest.mark.any_backend
@pytest.mark.parametrize("alpha", [0.2, 1.5])
def test_shares_are_drawn_from_the_beta_distribution_for_each_image(alpha):
    _, shares = sampled(MixUp(alpha), 20_000)
    # Closer to 0 and 1, single precision shows.
    grid = np.linspace(0.001, 0.999, 999)
    found = np.searchsorted(np.sort(shares[:, 0]), grid) / 20_000
    expected = scipy.stats.beta.cdf(grid, alpha, alpha)
    # Kolmogorov's bound, which a right sampler breaks once in 10,000 runs.
    assert np.abs(found - expected).max() < 2.2 / 20_000**0.5
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)


@pytest.mark.any_backend
def test_every_image_is_the_partner_of_one_other():
    seen = set()
    for seed in range(40):
        sources, _ = sampled(MixUp(), 6, seed)
        assert sources[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
        assert sorted(sources[:, 1]) == [0, 1, 2, 3, 4, 5]
        assert (sources[:, 1] != sources[:, 0]).all()
        seen.add(tuple(sources[:, 1]))
    assert len(seen) > 25


@pytest.mark.any_backend
def test_partners_do_not_tell_the_shares():
    sources, shares = sampled(MixUp(1.0), 20_000)
    links = np.corrcoef(sources[:, 1], shares[:, 0])
    assert abs(links[0, 1]) < 0.03


@pytest.mark.any_backend
def test_a_batch_of_one_mixes_with_itself():
    images = np.random.default_rng(0).uniform(0, 1, (1, 4, 4, 1))
    np.testing.assert_allclose(numpy(MixUp()(images)), images, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("channels", [(), (1,), (2,)])
def test_of_integer_masks_that_of_the_heavier_image_stays(channels):
    masks = np.zeros((6, 4, 4, *channels), "uint8")
    masks += np.arange(6, dtype="uint8").reshape(6, *[1] * (masks.ndim - 1))
    layer = MixUp(1.0)
    parameters = layer.sample((6, 4, 4, 1), seed=1)
    layer.sample = lambda shape, seed: parameters
    data = {"images": np.zeros((6, 4, 4, 1)), "segmentation_masks": masks}
    found = numpy(layer(data)["segmentation_masks"])
    assert found.dtype == "uint8"
    assert found.shape == masks.shape
    sources, shares = sampled(MixUp(1.0), 6, seed=1)
    heavier = np.where(shares[:, 0] >= 0.5, sources[:, 0], sources[:, 1])
    assert len(set(heavier == sources[:, 0])) == 2
    np.testing.assert_array_equal(
        found.reshape(6, -1), heavier[:, None] * np.ones((6, found[0].size))
    )


@pytest.mark.any_backend
def test_masks_of_floats_are_blended_as_images_are():
    images = np.random.default_rng(0).uniform(0, 1, (6, 4, 4, 3))
    data = {"images": images, "segmentation_masks": images.astype("float32")}
    outputs = MixUp(1.0)(data)
    np.testing.assert_allclose(
        numpy(outputs["segmentation_masks"]),
        numpy(outputs["images"]),
        atol=1e-6,
    )


def boxes_of(batch):
    """Two boxes an image, the second of image 0 mere padding."""
    first = np.arange(batch, dtype="float32")
    boxes = np.stack([first, first, first + 2, first + 3], axis=-1)
    boxes = np.stack([boxes, boxes + 1], axis=1)
    labels = np.stack([np.arange(batch), np.arange(batch) + 10], axis=1)
    boxes[0, 1], labels[0, 1] = 0, -1
    scores = labels / 100.0
    return {"boxes": boxes, "labels": labels, "scores": scores}


def with_boxes(batch=4):
    images = np.zeros((batch, 40, 40, 1), "float32")
    return {"images": images, "bounding_boxes": boxes_of(batch)}


@pytest.mark.any_backend
def test_each_image_gets_the_boxes_of_both():
    layer = MixUp(1.0, bounding_box_format="xyxy", seed=0)
    parameters = layer.sample((4, 40, 40, 1), seed=2)
    layer.sample = lambda shape, seed: parameters
    found = layer(with_boxes())["bounding_boxes"]
    given = boxes_of(4)
    for i, (own, other) in enumerate(numpy(parameters["sources"])):
        there = np.concatenate([given["labels"][own], given["labels"][other]])
        order = np.argsort(there == -1, kind="stable")
        for key, values in given.items():
            expected = np.concatenate([values[own], values[other]])[order]
            np.testing.assert_allclose(numpy(found[key])[i], expected)


@pytest.mark.any_backend
@pytest.mark.parametrize("how", [{"training": False}, {"rate": 0.0}])
def test_where_nothing_mixes_there_is_the_same_room_for_boxes(how):
    layer = MixUp(bounding_box_format="xyxy", rate=how.get("rate", 1.0))
    found = layer(with_boxes(), training=how.get("training", True))
    found, given = found["bounding_boxes"], boxes_of(4)
    for key, fill in (("boxes", 0), ("labels", -1)):
        values = numpy(found[key])
        np.testing.assert_array_equal(values[:, :2], given[key])
        assert (values[:, 2:] == fill).all()


@pytest.mark.any_backend
def test_boxes_of_images_that_are_hardly_seen_are_dropped():
    layer = MixUp(1.0, bounding_box_format="xyxy", min_visibility=0.4)
    parameters = layer.sample((30, 40, 40, 1), seed=2)
    layer.sample = lambda shape, seed: parameters
    labels = numpy(layer(with_boxes(30))["bounding_boxes"]["labels"])
    sources, shares = (numpy(parameters[k]) for k in ("sources", "weights"))
    kept = [set(row) - {-1} for row in labels.tolist()]
    given = boxes_of(30)["labels"]
    expected = [
        set(given[sources[i][shares[i] >= 0.4]].flatten()) - {-1}
        for i in range(30)
    ]
    assert kept == expected
    assert {len(row) for row in kept} >= {2, 4}


@pytest.mark.any_backend
def test_there_may_be_no_boxes():
    layer = MixUp(bounding_box_format="xyxy")
    none = {"boxes": np.zeros((4, 0, 4)), "labels": np.zeros((4, 0))}
    found = layer({**with_boxes(), "bounding_boxes": none})["bounding_boxes"]
    assert found["boxes"].shape == (4, 0, 4)


@pytest.mark.any_backend
def test_boxes_of_another_shape_are_refused_as_they_came():
    layer = MixUp(bounding_box_format="xyxy")
    flat = {"boxes": np.zeros((4, 4)), "labels": np.zeros((4,))}
    with pytest.raises(ValueError, match=r"Received: shape=\(4, 4\)"):
        layer({**with_boxes(), "bounding_boxes": flat})


@pytest.mark.any_backend
def test_boxes_without_a_format_are_refused():
    with pytest.raises(ValueError, match="`bounding_box_format` of MixUp"):
        MixUp()(with_boxes())


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Ragged tensors are TensorFlow's.",
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_ragged_boxes_stay_ragged(wrapped):
    rows = [[[0.0, 0, 2, 2]], [[3.0, 3, 5, 5], [6, 6, 9, 9]], []]
    boxes = tf.ragged.constant(rows, ragged_rank=1, inner_shape=(4,))
    labels = tf.ragged.constant([[1], [2, 3], []], dtype="int64")
    data = {
        "images": np.zeros((3, 10, 10, 1), "float32"),
        "bounding_boxes": {"boxes": boxes, "labels": labels},
    }
    layer = MixUp(1.0, bounding_box_format="xyxy", seed=0)
    outer = Compose([layer]) if wrapped else layer
    unmixed = outer(data, training=False)["bounding_boxes"]
    assert unmixed["labels"].to_list() == [[1], [2, 3], []]
    parameters = layer.sample((3, 10, 10, 1), seed=2)
    layer.sample = lambda shape, seed: parameters
    found = outer(data)["bounding_boxes"]
    given = [[1], [2, 3], []]
    expected = [
        given[own] + given[other] for own, other in numpy(parameters["sources"])
    ]
    assert found["labels"].to_list() == expected
    assert found["boxes"].row_lengths().numpy().tolist() == [
        len(row) for row in expected
    ]
