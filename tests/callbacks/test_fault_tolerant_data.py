"""Each kind of data gives the same batches after an interruption."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from interrupted import X, Y, arrays, model, require_equal, train

from keras_regopt.callbacks import FaultTolerant
from keras_regopt.callbacks._dataset_randomness import randomness

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def pipeline():
    return tf.data.Dataset.from_tensor_slices((X, Y))


class Shuffled(keras.utils.PyDataset):
    """Its order is in a generator of its own."""

    def __init__(self):
        super().__init__()
        self.random = np.random.default_rng(3)
        self.order = np.arange(20)

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = self.order[4 * index : 4 * index + 4]
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.random.shuffle(self.order)


class Stateful(Shuffled):
    def state(self):
        return {
            "order": self.order.copy(),
            "random": self.random.bit_generator.state,
        }

    def restore(self, state):
        self.order = state["order"].copy()
        self.random.bit_generator.state = state["random"]


def batches(seed=5):
    random = np.random.default_rng(seed)
    while True:
        rows = random.integers(0, 20, 4)
        yield X[rows], Y[rows]


class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 20

    def __getitem__(self, index):
        return X[index], Y[index]


def loader(**options):
    return torch.utils.data.DataLoader(
        Rows(), batch_size=4, shuffle=True, **options
    )


def as_it_is(x, **options):
    return {"x": x, "shuffle": False, **options}


# All that comes from the random generators of the process, which the scripts
# here seed differently each time.
FROM_THE_BACKUP = {
    "arrays in batches": lambda: {**arrays(), "shuffle": "batch"},
    "arrays in order": lambda: {**arrays(), "shuffle": False},
    "arrays with weights": lambda: {
        **arrays(),
        "sample_weight": np.arange(20.0),
    },
    # Interrupted in the second half of one pass over them.
    "arrays over epochs": lambda: {
        **arrays(),
        "batch_size": 3,
        "steps_per_epoch": 2,
    },
    "plain pipeline": lambda: as_it_is(pipeline().batch(4)),
    "loader": lambda: as_it_is(loader()),
    "PyDataset with a state": lambda: {"x": Stateful()},
}
# What remembers the epochs before.
READ_AGAIN = {
    "shuffled pipeline": lambda: as_it_is(
        pipeline().shuffle(20, seed=1).batch(4)
    ),
    "repeated pipeline": lambda: as_it_is(
        pipeline().shuffle(20, seed=1).batch(4).repeat(), steps_per_epoch=3
    ),
    "loader with a generator": lambda: as_it_is(
        loader(generator=torch.Generator().manual_seed(1))
    ),
    "generator": lambda: as_it_is(batches(), steps_per_epoch=3),
    "PyDataset": lambda: {"x": Shuffled()},
}
# On TensorFlow, nobody can look at what Python code gives to tf.data.
cannot_be_checked = pytest.mark.filterwarnings(
    "ignore:The training data is made by Python code"
)


@cannot_be_checked
@pytest.mark.parametrize("name", FROM_THE_BACKUP)
def test_the_backup_brings_the_order_back(tmp_path, name):
    # torch's own generator is seeded by Keras on torch alone.
    torch.manual_seed(0)
    options = {"data": FROM_THE_BACKUP[name], "epochs": 2}
    expected = train(tmp_path / "whole", **options)
    torch.manual_seed(0)
    run = train(tmp_path / "parts", [3], **options)
    require_equal(run, expected)


@pytest.mark.any_backend
@cannot_be_checked
@pytest.mark.parametrize("name", READ_AGAIN)
def test_data_with_a_memory_is_read_again(tmp_path, name):
    options = {"data": READ_AGAIN[name], "same_seeds": True, "epochs": 3}
    expected = train(tmp_path / "whole", **options)
    run = train(tmp_path / "parts", [8], **options)
    require_equal(run, expected)


class Watched(keras.Model):
    """Notes which rows it is trained on."""

    def train_step(self, *arguments):
        rows = keras.ops.convert_to_numpy(arguments[-1][0])
        self.rows = [*getattr(self, "rows", []), *rows.ravel().tolist()]
        return super().train_step(*arguments)


def test_shuffled_arrays_have_a_new_order_in_each_epoch(tmp_path):
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
