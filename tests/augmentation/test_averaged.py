import keras
import numpy as np
import pytest

from keras_regopt.augmentation import (
    Averaged,
    Compose,
    MixUp,
    RandomAffine,
    RandomCrop,
    RandomGaussianNoise,
)

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(0, 255, (4, 6, 8, 2)).astype("float32")


def identity():
    return keras.Sequential([keras.Input((6, 8, 2)), keras.layers.Identity()])


def classifier():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((6, 8, 2)), *layers])


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_predicts_the_mean_over_the_flipped_images():
    averaged = Averaged(identity(), ["horizontal", "vertical", "both"])
    expected = np.mean(
        [
            IMAGES,
            IMAGES[:, :, ::-1],
            IMAGES[:, ::-1],
            IMAGES[:, ::-1, ::-1],
        ],
        axis=0,
    )
    assert np.allclose(averaged.predict(IMAGES, verbose=0), expected)
    averaged = Averaged(identity(), "horizontal", identity=False)
    assert np.allclose(to_numpy(averaged(IMAGES)), IMAGES[:, :, ::-1])


def test_predicts_the_mean_over_the_views_of_layers():
    turn = RandomAffine(rotation=(0.5, 0.5), flip=None, zoom=0, translation=0)
    averaged = Averaged(identity(), [turn])
    expected = (IMAGES + IMAGES[:, ::-1, ::-1]) / 2
    assert np.allclose(to_numpy(averaged(IMAGES)), expected, atol=0.01)


@pytest.mark.any_backend
def test_a_prediction_depends_on_the_image_alone():
    layers = Compose([RandomAffine(), RandomGaussianNoise(rate=0.5)])
    averaged = Averaged(identity(), layers, samples=2)
    together = averaged.predict(IMAGES, verbose=0)
    assert np.array_equal(together, averaged.predict(IMAGES, verbose=0))
    alone = averaged.predict(IMAGES[2:3], verbose=0)
    assert np.allclose(together[2:3], alone, atol=1e-3)
    assert not np.allclose(together, IMAGES)


@pytest.mark.any_backend
def test_samples_are_different_views_and_follow_the_seed():
    def views(**options):
        noise = RandomGaussianNoise(stddev=0.1, **options)
        averaged = Averaged(identity(), noise, samples=9, identity=False)
        return to_numpy(averaged(np.full_like(IMAGES, 128)))

    # The mean of nine draws has a third of the noise of one, 25.5.
    assert 7 < views().std() < 10
    assert np.array_equal(views(), views(seed=0))
    assert not np.allclose(views(), views(seed=1))


def test_trains_the_model_on_the_images_as_they_are():
    averaged = Averaged(identity(), ["horizontal"])
    assert np.array_equal(to_numpy(averaged(IMAGES, training=True)), IMAGES)
    averaged = Averaged(classifier(), ["horizontal"])
    averaged.compile("sgd", "mse")
    averaged.fit(IMAGES / 255, np.eye(4, 3), verbose=0)
    alone = classifier()
    alone.compile("sgd", "mse")
    alone.fit(IMAGES / 255, np.eye(4, 3), verbose=0)
    for one, other in zip(alone.weights, averaged.weights, strict=True):
        assert np.allclose(to_numpy(one), to_numpy(other), atol=1e-6)


@pytest.mark.any_backend
def test_a_reloaded_model_repeats_the_predictions(tmp_path):
    noise = RandomGaussianNoise(value_range=(0, 1), seed=5)
    layers = ["vertical", RandomAffine(), noise]
    averaged = Averaged(classifier(), layers, samples=2)
    averaged.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    expected = averaged.predict(IMAGES / 255, verbose=0)
    found = again.predict(IMAGES / 255, verbose=0)
    assert np.allclose(expected, found, atol=1e-6)


@pytest.mark.any_backend
def test_bytes_and_channels_first_are_taken_too():
    images = IMAGES.astype("uint8").transpose(0, 3, 1, 2)
    model = keras.Sequential([keras.layers.Rescaling(1.0)])
    averaged = Averaged(model, "horizontal", data_format="channels_first")
    expected = (images + images[..., ::-1].astype("float32")) / 2
    assert np.allclose(to_numpy(averaged(images)), expected)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "augmentations",
    [
        [],
        ["diagonal"],
        [RandomCrop(2, 2)],
        [MixUp()],
        keras.layers.RandomFlip(),
        [RandomAffine(data_format="channels_first")],
    ],
)
def test_refuses_what_makes_no_views(augmentations):
    with pytest.raises(ValueError, match="`augmentations` of Averaged"):
        Averaged(identity(), augmentations)
