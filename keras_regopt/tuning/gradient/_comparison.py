"""What else would have come of the cost of a tuned training."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_regopt._validate import positive_int
from keras_regopt.tuning.gradient._run import Run
from keras_regopt.tuning.gradient._training import (
    COSTS,
    Training,
    count,
    vector,
)


@dataclasses.dataclass
class Comparison:
    """Trainings with the functions of one that was tuned.

    Args:
        training: The `Training`.
        tuned: The `Run` that was tuned.
        first: The positions that it began with.
        fitted: Its data, epochs and size of a batch.
        fresh_state: Function of a seed that returns the `State` to begin with.
    """

    training: Training
    tuned: Run
    first: Any
    fitted: tuple[Any, int, int]
    fresh_state: Callable[[int], Any]

    def rows(self, test_data, trials):
        """See `GradientTuner.compare`."""
        cost, run = self.cost(), self.tuned
        again = {"path": self._path(), "seed": run.seed + 1}
        decays = {"factor": cosine(cost)}
        rows = [
            _row("tuned", run, cost),
            self.trained("replayed", self.first, run.step, **again),
            self.trained("last values", run.positions, cost),
            self.trained("cosine", self.first, cost, **decays),
            self.searched(cost, trials),
        ]
        return [self._shown(row, test_data) for row in rows]

    def cost(self):
        """Gradients of a batch that the tuned training took."""
        run, training = self.tuned, self.training
        if training.method == "forward":
            # Passes back through each step, for each hyperparameter.
            return run.step * (1 + 4 * len(run.positions))
        hyper_steps = run.step // training.every
        return run.step + COSTS[training.method] * hyper_steps

    def trained(
        self, name, positions, length, seed=None, factor=None, path=None
    ):
        """A training of some steps whose hyperparameters do not move.

        Args:
            name: What to call it.
            positions: Positions of the hyperparameters.
            length: The number of steps.
            seed: Seed of weights and batches. Defaults to that of the tuned.
            factor: As of `Run.epoch`.
            path: As of `Run.epoch`.

        Returns:
            A dict with the `Run` in it.
        """
        seed = self.tuned.seed if seed is None else seed
        state = self.fresh_state(seed)
        run = Run(self.training, state, positions, seed, tunes=False)
        data, _, size = self.fitted
        for epoch in range(math.ceil(length / (count(data) // size))):
            run.epoch(data, epoch, size, factor, path, last=length)
        return _row(name, run, length)

    def searched(self, cost, trials, factor=None):
        """The best of trials at random, each as long as the tuned training."""
        steps = self.tuned.step
        if trials is None:
            trials = max(2, cost // steps)
        trials = positive_int("compare", "trials", trials)
        name = f"random search, {trials} trials"
        return best(self.sampled(trials, factor), name)

    def sampled(self, trials, factor=None):
        """Trainings at random values; those of fewer trials come first."""
        random = np.random.default_rng([self.tuned.seed, 2])
        points = random.random((trials, len(self.first)))
        steps = self.tuned.step
        return [
            self.trained("random", point, steps, factor=factor)
            for point in points
        ]

    def _path(self):
        history = self.tuned.history
        paths = [
            [t.parameter.position_of(v) for v in history[t.name]]
            for t in self.training.tuned
        ]
        return np.array(paths).T

    def _shown(self, row, test_data):
        run = row.pop("run")
        row["values"] = {
            t.name: t.parameter.number_at(float(p))
            for t, p in zip(self.training.tuned, run.positions, strict=True)
        }
        row["test_loss"] = (
            None
            if test_data is None
            else self.training.loss(run.state, vector(run.positions), test_data)
        )
        return row


def cosine(length):
    """A factor that falls from 1 to 0 in a number of steps."""
    return lambda step: (1 + math.cos(math.pi * step / length)) / 2


def best(rows, name):
    """The row with the lowest validation loss, at the cost of all."""
    # A training that diverged has no loss to compare.
    found = min(rows, key=lambda r: np.nan_to_num(r["val_loss"], nan=np.inf))
    return {**found, "name": name, "cost": sum(r["cost"] for r in rows)}


def _row(name, run, cost):
    return {
        "name": name,
        "cost": int(cost),
        "val_loss": run.history["val_loss"][-1],
        "run": run,
    }


def table(rows):
    """The rows as text."""
    head = ("training", "gradients", "val_loss", "test_loss")
    lines = [f"{head[0]:26} {head[1]:>9} {head[2]:>9} {head[3]:>9}"]
    for row in rows:
        test = row["test_loss"]
        shown = f"{'-':>9}" if test is None else f"{test:9.4f}"
        lines.append(
            f"{row['name']:26} {row['cost']:9d} {row['val_loss']:9.4f} {shown}"
        )
    return "\n".join(lines)
