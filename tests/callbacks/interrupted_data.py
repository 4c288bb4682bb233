"""Training data of every kind, for trainings that break off."""

import keras
import numpy as np
import tensorflow as tf
import torch
from interrupted import BATCHES, X, Y, arrays


def pipeline():
    return tf.data.Dataset.from_tensor_slices((X, Y))


class Shuffled(keras.utils.PyDataset):
    """Its order is in a generator of its own."""

    def __init__(self, **options):
        super().__init__(**options)
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


# Where a pass ends with its epoch, Keras has begun the next one before the
# callbacks are told of it.
WHOLE_PASSES = {"steps_per_epoch": BATCHES}
# All that comes from the random generators of the process, which the scripts
# here seed differently each time.
FROM_THE_BACKUP = {
    "arrays in batches": lambda: {**arrays(), "shuffle": "batch"},
    "arrays in order": lambda: {**arrays(), "shuffle": False},
    "arrays with weights": lambda: {
        **arrays(),
        "sample_weight": np.arange(20.0),
    },
    "arrays split off": lambda: {**arrays(), "validation_split": 0.2},
    "arrays in whole passes": lambda: {**arrays(), **WHOLE_PASSES},
    # Interrupted in the second half of one pass over them.
    "arrays over epochs": lambda: {
        **arrays(),
        "batch_size": 2,
        "steps_per_epoch": 5,
    },
    "plain pipeline": lambda: as_it_is(pipeline().batch(4)),
    "loader": lambda: as_it_is(loader()),
    "loader in whole passes": lambda: as_it_is(loader(), **WHOLE_PASSES),
    "PyDataset with a state": lambda: {"x": Stateful()},
    "PyDataset with a state in whole passes": lambda: {
        "x": Stateful(),
        **WHOLE_PASSES,
    },
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
    "loader with a generator in whole passes": lambda: as_it_is(
        loader(generator=torch.Generator().manual_seed(1)), **WHOLE_PASSES
    ),
    "generator": lambda: as_it_is(batches(), steps_per_epoch=3),
    "PyDataset": lambda: {"x": Shuffled()},
    "PyDataset with a state in two threads": lambda: {"x": Stateful(workers=2)},
    "shuffled PyDataset": lambda: {"x": Shuffled(), "shuffle": True},
}
