"""A small training with one object of this package in it."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import samples

STEPS, BATCH = 4, 16


@dataclass
class Case:
    """A training.

    Args:
        name: What the table shows.
        make: Function without arguments that returns a model.
        shape: The shape of an input, without the batch.
        outputs: The shape of an output, without the batch.
        optimizer: Function without arguments that returns an optimizer.
        callbacks: Function without arguments that returns callbacks.
        epochs: Number of passes over the data.
        high: If given, the inputs are images in 0..`high`.
        draws: Whether the data are drawn.
        wrap: Function of inputs and targets that makes what `fit` takes.
    """

    name: str
    make: object
    shape: tuple
    outputs: tuple = (1,)
    optimizer: object = field(
        default=lambda: keras.optimizers.SGD(0.02, momentum=0.9)
    )
    callbacks: object = list
    epochs: int = 1
    high: float | None = None
    draws: bool = False
    wrap: object = field(default=lambda x, y: (x, y))

    def data(self, shards):
        """Inputs and targets, in batches whose `shards` parts are alike."""
        random = np.random.default_rng(0)

        def drawn(shape):
            part = (STEPS, 1, BATCH // shards, *shape)
            values = random.normal(size=part).astype("float32")
            values = np.repeat(values, shards, axis=1)
            return values.reshape(STEPS * BATCH, *shape)

        x, y = drawn(self.shape), drawn(self.outputs)
        if self.high is not None:
            x = np.clip(x / 6 + 0.5, 0, 1) * self.high
        return self.wrap(x, y)


def made(cls, **changes):
    """An object with the arguments of the tests' samples."""
    arguments = samples.arguments_of(cls.__name__)
    return cls(**{**arguments, **changes})
