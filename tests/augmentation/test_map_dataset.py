"""Draws in `tf.data`: none twice, and with numbers the same in every run."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf
from brighten import Brighten

from keras_regopt.augmentation import (
    Compose,
    MixUp,
    RandomAffine,
    RandomGaussianNoise,
    map_dataset,
)

BACKEND = keras.backend.backend()


def noise(**kwargs):
    return RandomGaussianNoise(0.01, **kwargs)


def grey(count, batch=2):
    images = np.full((count, 2, 2, 1), 128.0, "float32")
    return tf.data.Dataset.from_tensor_slices(images).batch(batch)


def side_by_side(dataset):
    """The dataset with threads of its own, as many as a large machine has."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = 8
    return dataset.with_options(options)


def all_of(dataset):
    return np.concatenate(list(dataset.as_numpy_iterator()))


def repetitions(images):
    images = images.reshape(len(images), -1)
    return len(images) - len(np.unique(images, axis=0))


@pytest.mark.any_backend
def test_parallel_calls_never_use_a_draw_twice():
    pixels = tf.data.Dataset.range(3000).map(
        lambda _: tf.fill((4, 1, 1), 128.0)
    )
    layer = noise()
    for mapped in (
        pixels.map(layer, num_parallel_calls=8),
        map_dataset(pixels, layer, num_parallel_calls=8),
    ):
        images = np.stack(list(side_by_side(mapped).as_numpy_iterator()))
        assert repetitions(images) == 0


def chain(seed):
    """Layers with seeds of their own, in a container without."""
    return Compose([noise(seed=seed), RandomAffine(seed=seed + 1)])


@pytest.mark.any_backend
@pytest.mark.parametrize("make", [noise, RandomAffine, chain])
def test_a_seeded_run_repeats_itself_whatever_the_order(make):
    def run(calls, deterministic=None):
        images = np.random.default_rng(0).uniform(0, 255, (40, 3, 3, 1))
        numbers = np.arange(40)
        dataset = tf.data.Dataset.from_tensor_slices((images, numbers))
        dataset = map_dataset(
            dataset.batch(4), make(seed=0), calls, deterministic
        )
        results, order = [], []
        # Three epochs.
        for images, numbers in side_by_side(dataset.repeat(3)):
            results.append(images.numpy())
            order.append(numbers.numpy())
        if deterministic is False:
            for epoch in range(0, 30, 10):
                ends = order[epoch : epoch + 10]
                ranks = np.argsort([n[0] for n in ends])
                results[epoch : epoch + 10] = [
                    results[epoch + r] for r in ranks
                ]
        return np.concatenate(results)

    alone = run(1)
    np.testing.assert_array_equal(run(8), alone)
    np.testing.assert_array_equal(run(8, deterministic=False), alone)
    assert repetitions(alone) == 0


@pytest.mark.any_backend
def test_a_numbered_run_does_not_hang_on_what_the_layer_did_before():
    layer = noise(seed=3)
    first = all_of(map_dataset(grey(8), layer))
    layer(np.ones((2, 2, 2, 1), "float32"))
    all_of(grey(8).map(layer))
    np.testing.assert_array_equal(all_of(map_dataset(grey(8), layer)), first)
    assert (all_of(map_dataset(grey(8), noise(seed=4))) != first).any()


@pytest.mark.any_backend
def test_every_iteration_is_an_epoch_with_new_draws():
    dataset = map_dataset(grey(8), noise(seed=0))
    gc.collect()
    epochs = [all_of(dataset) for _ in range(3)]
    assert repetitions(np.concatenate(epochs)) == 0
    late = map_dataset(grey(8), noise(seed=0), epoch=2)
    np.testing.assert_array_equal(all_of(late), epochs[2])
    # One long dataset is one epoch.
    endless = map_dataset(grey(8).repeat(), noise(seed=0))
    assert repetitions(all_of(endless.take(20))) == 0


@pytest.mark.any_backend
def test_the_dataset_keeps_its_length_and_its_structure():
    dataset = grey(8)
    mapped = map_dataset(dataset, noise())
    assert mapped.cardinality() == 4
    assert mapped.element_spec == dataset.element_spec
    assert map_dataset(dataset.repeat(), noise()).cardinality() == (
        tf.data.INFINITE_CARDINALITY
    )


IMAGES = np.zeros((4, 2, 2, 1), "float32")
LABELS = np.arange(4)
WEIGHTS = np.ones(4, "float32")


def first_of(*element, layer):
    """The first batch after mapping; `Brighten` adds 100, and 1 to labels."""
    element = element if len(element) > 1 else element[0]
    dataset = tf.data.Dataset.from_tensor_slices(element).batch(4)
    return next(map_dataset(dataset, layer).as_numpy_iterator())


@pytest.mark.any_backend
def test_labels_go_to_the_layer_and_weights_pass():
    assert (first_of(IMAGES, layer=Brighten()) == 100).all()
    for weights in [(), (WEIGHTS,)]:
        x, y, *w = first_of(IMAGES, LABELS, *weights, layer=Brighten())
        assert (x == 100).all()
        assert y.tolist() == [1, 2, 3, 4]
        assert [v.tolist() for v in w] == [v.tolist() for v in weights]


@pytest.mark.any_backend
def test_labels_are_mixed_with_their_images():
    images = np.repeat(LABELS, 4).reshape(4, 2, 2, 1).astype("float32")
    x, y = first_of(images, LABELS, layer=MixUp(1.0, num_classes=4, seed=0))
    np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-5)
    assert (y.max(axis=1) < 0.99).any()
    np.testing.assert_allclose(x[:, 0, 0, 0], y @ LABELS, atol=1e-4)


@pytest.mark.any_backend
def test_dicts_go_to_the_layer_as_they_are():
    data = {"images": IMAGES, "ids": LABELS}
    result = first_of({**data, "labels": LABELS}, layer=Brighten())
    assert result["labels"].tolist() == [1, 2, 3, 4]
    x, y = first_of(data, LABELS, layer=Brighten())
    assert list(x) == ["images", "ids"]
    assert x["ids"].tolist() == [0, 1, 2, 3]
    assert y.tolist() == [1, 2, 3, 4]
    x, y = first_of(IMAGES, {"class": LABELS}, layer=noise())
    assert y["class"].tolist() == [0, 1, 2, 3]


@pytest.mark.any_backend
def test_pipelines_and_functions_are_numbered_too():
    def pipeline():
        return keras.layers.Pipeline(
            [noise(seed=1), keras.layers.Rescaling(0.5), noise(seed=2)]
        )

    def function():
        layer = noise(seed=1)
        return lambda x, y: (layer(x), y)

    for make in (pipeline, function):
        one, other = (
            first_of(IMAGES, LABELS, layer=make())[0] for _ in range(2)
        )
        np.testing.assert_array_equal(one, other)
        assert repetitions(one) == 0
    x, y = first_of(
        IMAGES, LABELS, layer=keras.layers.Pipeline([Brighten(), Brighten()])
    )
    assert (x == 200).all()
    assert y.tolist() == [2, 3, 4, 5]


if BACKEND == "tensorflow":
    # Keras itself cannot run a Sequential of another backend in tf.data.

    def test_containers_are_numbered_too():
        model = keras.Sequential([keras.Input((2, 2, 1)), Brighten()])
        x, y = first_of(IMAGES, LABELS, layer=model)
        assert (x == 100).all()
        # Such a model takes no dicts.
        assert y.tolist() == [0, 1, 2, 3]

    def test_draws_in_tf_data_within_the_scope_of_a_strategy():
        with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
            layer = noise(seed=0)
            images = all_of(grey(8).map(layer))
        np.testing.assert_array_equal(
            images, all_of(grey(8).map(noise(seed=0)))
        )


@pytest.mark.any_backend
def test_a_run_goes_on_after_a_reload_as_if_it_had_not_stopped(tmp_path):
    images = np.random.default_rng(0).normal(size=(8, 2, 2, 1))
    labels = images.sum(axis=(1, 2, 3))
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)

    def data(epoch):
        layer = noise(seed=5, value_range=(-5, 5))
        return map_dataset(dataset, layer, epoch=epoch)

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((2, 2, 1)), *layers])
    model.compile("sgd", "mse", metrics=["mae"])
    model.save(tmp_path / "model.keras")
    whole = keras.models.load_model(tmp_path / "model.keras")
    whole.fit(data(0), epochs=3, shuffle=False, verbose=0)
    model.fit(data(0), epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    again.fit(data(2), epochs=1, shuffle=False, verbose=0)
    for one, other in zip(
        whole.get_weights(), again.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": IMAGES}, "must be a tf.data.Dataset"),
        ({"layer": 3}, "a layer or a function"),
        ({"layer": keras.layers.RandomFlip()}, "`dataset.map` for this one"),
        (
            {"layer": keras.layers.Pipeline([keras.layers.RandomFlip()])},
            "`dataset.map` for this one",
        ),
        ({"epoch": -1}, "`epoch` of map_dataset must be an integer >= 0"),
        (
            {"dataset": tf.data.Dataset.from_tensors((IMAGES,) * 4)},
            "one of `x`",
        ),
        (
            {
                "dataset": tf.data.Dataset.from_tensors(
                    ({"images": IMAGES, "labels": LABELS}, LABELS)
                )
            },
            "without labels in `x`",
        ),
    ],
)
def test_what_cannot_be_mapped_is_refused(arguments, message):
    arguments = {"dataset": grey(4), "layer": noise()} | arguments
    with pytest.raises(ValueError, match=message):
        map_dataset(**arguments)
