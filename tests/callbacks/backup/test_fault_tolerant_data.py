"""Each kind of data gives the batches that it gives without FaultTolerant."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from interrupted import X, Y, arrays, model, require_equal, train
from interrupted_data import (
    FROM_THE_BACKUP,
    READ_AGAIN,
    as_it_is,
    batches,
    pipeline,
)
from keras.src.backend.common.global_state import set_global_attribute

from keras_regopt.callbacks import FaultTolerant
from keras_regopt.callbacks.backup._dataset_randomness import randomness

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"

# On TensorFlow, nobody can look at what Python code gives to tf.data.
cannot_be_checked = pytest.mark.filterwarnings(
    "ignore:The training data is made by Python code"
)


def next_draws():
    """Of all random generators of the process."""
    return [
        random.random(),
        np.random.random(),
        float(torch.rand(())),
        float(keras.ops.convert_to_numpy(keras.random.uniform(()))),
    ]


def forget_draws():
    """Resets what `keras.utils.set_random_seed` leaves as it is."""
    # On torch alone, Keras seeds torch's own generator.
    torch.manual_seed(0)
    # Before 3.14, Keras draws on from its own.
    set_global_attribute("global_seed_generator", None)


def require_the_same_without_with_and_interrupted(tmp_path, **options):
    forget_draws()
    expected = train(None, **options)
    draws = next_draws()
    forget_draws()
    require_equal(train(tmp_path / "whole", **options), expected)
    assert next_draws() == draws
    forget_draws()
    require_equal(train(tmp_path / "parts", [8], **options), expected)


@cannot_be_checked
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.any_training)
        # What TensorFlow reads in its own way are pipelines and shuffled
        # arrays.
        if name.startswith("loader")
        or name in ("arrays in order", "arrays split off")
        else name
        for name in FROM_THE_BACKUP
    ],
)
def test_the_backup_brings_the_order_back(tmp_path, name):
    require_the_same_without_with_and_interrupted(
        tmp_path, data=FROM_THE_BACKUP[name], epochs=2
    )


@pytest.mark.any_backend
@cannot_be_checked
@pytest.mark.parametrize("name", READ_AGAIN)
def test_data_with_a_memory_is_read_again(tmp_path, name):
    require_the_same_without_with_and_interrupted(
        tmp_path, data=READ_AGAIN[name], same_seeds=True, epochs=3
    )


@pytest.mark.parametrize("seeded", [(True, False), (False, True)])
def test_the_order_of_arrays_does_not_need_the_same_seed(tmp_path, seeded):
    seeds = iter((seeded[0], *seeded))

    def data():
        if not next(seeds):
            tf.random.set_seed(None)
        return arrays()

    expected = train(tmp_path / "whole", data=data, epochs=2)
    require_equal(train(tmp_path / "parts", [8], data=data, epochs=2), expected)


@pytest.fixture
def on_two_devices():
    """Makes the model of `train` on both logical devices."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

    def make():
        with strategy.scope():
            return model(run_eagerly=False)

    return make


needs_strategies = pytest.mark.skipif(
    not ON_TENSORFLOW, reason="Other backends have no `tf.distribute`."
)


@needs_strategies
def test_shuffled_arrays_on_two_devices_are_what_they_are(
    tmp_path, on_two_devices
):
    require_the_same_without_with_and_interrupted(
        tmp_path, make_model=on_two_devices, epochs=2, same_seeds=True
    )


@needs_strategies
def test_arrays_shuffled_without_a_seed_on_two_devices_give_a_warning(
    tmp_path, on_two_devices, recwarn
):
    tf.random.set_seed(None)
    tolerant = FaultTolerant([], tmp_path)
    on_two_devices().fit(**arrays(), verbose=0, callbacks=[tolerant])
    message = "shuffled without a seed on TensorFlow under a distribution"
    assert any(message in w for w in warnings_of(recwarn))


class Watched(keras.Model):
    """Notes which rows it is trained on."""

    def train_step(self, *arguments):
        rows = keras.ops.convert_to_numpy(arguments[-1][0])
        self.rows = [*getattr(self, "rows", []), *rows.ravel().tolist()]
        return super().train_step(*arguments)


def test_arrays_shuffled_without_a_seed_have_a_new_order_in_each_epoch(
    tmp_path,
):
    tf.random.set_seed(None)
    inputs = keras.Input((1,))
    watched = Watched(inputs, keras.layers.Dense(1)(inputs))
    watched.compile("sgd", "mse", run_eagerly=True, jit_compile=False)
    numbers = np.arange(20.0, dtype="float32")[:, None]
    tolerant = FaultTolerant([], tmp_path)
    watched.fit(
        numbers, Y, batch_size=6, epochs=3, verbose=0, callbacks=[tolerant]
    )
    orders = np.reshape(watched.rows, (3, 20))
    np.testing.assert_array_equal(np.sort(orders), [np.arange(20)] * 3)
    assert len(np.unique(orders, axis=0)) == 3


def warnings_of(recorded):
    # Those inside of Keras and torch are among them.
    return [str(warning.message) for warning in recorded]


@pytest.mark.any_backend
def test_a_pipeline_that_cannot_be_repeated_gives_a_warning(tmp_path, recwarn):
    tf.random.set_seed(None)
    data = as_it_is(pipeline().shuffle(20).batch(4))
    model().fit(**data, verbose=0, callbacks=[FaultTolerant([], tmp_path)])
    assert any("without a seed" in w for w in warnings_of(recwarn))


@pytest.mark.any_backend
def test_other_data_after_an_interruption_gives_a_warning(tmp_path, recwarn):
    seeds = iter((1, 2))

    def unseeded():
        return as_it_is(batches(next(seeds)), steps_per_epoch=3)

    message = "cannot check" if ON_TENSORFLOW else "cannot repeat the data"
    train(tmp_path, [5], data=unseeded)
    assert any(message in w for w in warnings_of(recwarn))


def rows(size):
    return {"x": X[:size], "y": Y[:size], "batch_size": 2}


def generated(size):
    pairs = [(X[i : i + 2], Y[i : i + 2]) for i in range(0, size, 2)]
    return as_it_is(pair for pair in pairs)


@pytest.mark.any_backend
@cannot_be_checked
@pytest.mark.parametrize("make", [rows, generated])
def test_data_that_ends_before_the_position_is_refused(tmp_path, make):
    sizes = iter((20, 4))
    with pytest.raises(ValueError, match="has fewer batches than it had"):
        train(tmp_path, [5], data=lambda: make(next(sizes)))


@pytest.mark.any_backend
@pytest.mark.parametrize("generates", [False, True])
def test_validation_data_that_begins_again_gives_a_warning(
    tmp_path, recwarn, generates
):
    def validated():
        if not generates:
            return {**arrays(), "validation_data": (X, Y)}
        return {
            **arrays(),
            "validation_data": batches(),
            "validation_steps": 2,
        }

    train(tmp_path, [7], data=validated, epochs=2)
    found = [w for w in warnings_of(recwarn) if "The validation data is" in w]
    assert len(found) == generates


def shuffled_within(x, y):
    return tf.data.Dataset.from_tensors((x, y)).shuffle(3)


def noisy(x, y, seed=None):
    return x + tf.random.uniform([3], seed=seed), y


def noisy_with_a_seed(x, y):
    return noisy(x, y, seed=2)


def doubled(x, y):
    return 2 * x, y


def by_python(x, y):
    return tf.numpy_function(lambda x: x, [x], tf.float32), y


PIPELINES = {
    "none": [
        lambda: pipeline().map(doubled, num_parallel_calls=2).cache(),
    ],
    "seeded": [
        lambda: pipeline().shuffle(20, seed=0),
        lambda: pipeline().map(noisy_with_a_seed),
    ],
    "python": [
        lambda: pipeline().map(by_python),
        lambda: tf.data.Dataset.from_generator(
            lambda: iter([1]), output_types=tf.int32
        ),
    ],
    "unrepeatable": [
        lambda: pipeline().shuffle(20),
        lambda: pipeline().map(noisy),
        lambda: pipeline().interleave(shuffled_within),
        lambda: pipeline().map(noisy_with_a_seed, num_parallel_calls=2),
        lambda: tf.data.Dataset.sample_from_datasets([pipeline()] * 2),
        lambda: pipeline().map(
            doubled, num_parallel_calls=2, deterministic=False
        ),
    ],
}


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", PIPELINES)
def test_pipelines_are_told_apart(kind):
    tf.random.set_seed(None)
    for make in PIPELINES[kind]:
        assert randomness(make().batch(4).prefetch(1)) == kind
