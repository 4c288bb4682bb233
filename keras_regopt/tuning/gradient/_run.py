"""One training of a model and its hyperparameters."""

import numpy as np
from keras import ops

from keras_regopt.tuning.gradient._training import (
    batch_of,
    count,
    moments,
    moved,
    rows_of_epoch,
    rows_of_validation,
    vector,
)


class Run:
    """One training with the functions of a tuner.

    Args:
        training: The `Training`, whose functions it uses.
        state: The `State` to begin with.
        positions: The positions of the hyperparameters, a vector.
        seed: Seed of the batches.
        tunes: Whether the hyperparameters move. Defaults to `True`.
    """

    def __init__(self, training, state, positions, seed, tunes=True):
        self._training = training
        self._tunes = tunes
        self._forward = tunes and training.method == "forward"
        self.state = state
        self.positions = np.array(positions)
        self.seed = seed
        self.step = 0
        self.moments = moments()
        self.tangents = training.no_tangents(state) if self._forward else []
        self.history: dict[str, list[float]] = {
            t.name: [] for t in training.tuned
        }
        self.history.update(loss=[], val_loss=[])
        self._note()

    def epoch(self, data, epoch, batch_size, factor=None, path=None, last=None):
        """Trains for an epoch.

        Args:
            data: Inputs and targets.
            epoch: The number of the epoch, from 0.
            batch_size: The size of a batch.
            factor: Function of the number of a step, which the learning rate is
                multiplied by. Defaults to `None`, no factor.
            path: Positions after each hyper step, to be followed.
            last: The number of steps to stop at. Defaults to `None`.
        """
        losses = []
        for rows in rows_of_epoch(self.seed, epoch, count(data), batch_size):
            if self.step == last:
                break
            if path is not None:
                index = min(self.step // self._training.every, len(path) - 1)
                self.positions = np.array(path[index])
            scale = 1.0 if factor is None else factor(self.step)
            scale = ops.convert_to_tensor(scale, dtype="float32")
            batch = batch_of(data, rows)
            losses.append(self._train(batch, batch_size, scale))
        mean = float(np.mean([ops.convert_to_numpy(x) for x in losses]))
        validation = self._training.loss(
            self.state, vector(self.positions), self._training.validation_data
        )
        self.history["loss"].append(mean)
        self.history["val_loss"].append(validation)

    def _train(self, batch, batch_size, scale):
        """One train step, and every few of them a hyper step."""
        training, positions = self._training, vector(self.positions)
        is_hyper = self._tunes and (self.step + 1) % self._training.every == 0
        if self._forward:
            self.tangents = training.carry(
                self.state, self.tangents, positions, batch, scale
            )
        elif is_hyper:
            gradient = training.gradient(
                self.state,
                positions,
                batch,
                self._validation(batch_size),
                scale,
            )
        self.state, loss = training.train(self.state, positions, *batch, scale)
        self.step += 1
        if is_hyper and self._forward:
            gradient = training.gradient_of_carried(
                self.state,
                self.tangents,
                positions,
                self._validation(batch_size),
            )
        if is_hyper:
            self._move(gradient)
        return loss

    def _validation(self, batch_size):
        data = self._training.validation_data
        rows = rows_of_validation(self.seed, self.step, count(data), batch_size)
        return batch_of(data, rows)

    def _move(self, gradient):
        if self.moments["count"] == 0:
            _require_effect(self._training.tuned)
        if not np.isfinite(gradient).all():
            bad = [
                t.name
                for t, g in zip(self._training.tuned, gradient, strict=True)
                if not np.isfinite(g)
            ]
            raise FloatingPointError(
                f"The gradient by {bad} is not finite in step {self.step}. "
                "Lower `hyper_learning_rate`, or the `high` of the learning "
                "rate and of the noise."
            )
        rate = self._training.hyper_learning_rate
        self.positions = moved(self.positions, gradient, self.moments, rate)
        self._note()

    def _note(self):
        for tuned, position in zip(
            self._training.tuned, self.positions, strict=True
        ):
            value = tuned.parameter.number_at(float(position))
            self.history[tuned.name].append(value)

    def summary(self):
        """A line of what there is after an epoch."""
        losses = (self.history[name][-1] for name in ("loss", "val_loss"))
        shown = " - ".join(f"{loss:.4f}" for loss in losses)
        values = ", ".join(
            f"{t.name} {self.history[t.name][-1]:.3g}"
            for t in self._training.tuned
        )
        return f"loss, val_loss {shown}; {values}"

    def progress(self):
        """What is plain of it, for a file."""
        return {
            "step": self.step,
            "history": self.history,
            "positions": self.positions.tolist(),
            "moments": {
                name: np.array(value).tolist()
                for name, value in self.moments.items()
            },
        }

    def arrays(self):
        """What is tensors of it, for a file."""
        return [list(self.state), self.tangents]

    def restore(self, progress, arrays):
        """Takes what `progress` and `arrays` gave."""
        self.step = progress["step"]
        self.history = progress["history"]
        self.positions = np.array(progress["positions"])
        self.moments = {
            name: value if name == "count" else np.array(value)
            for name, value in progress["moments"].items()
        }
        state, self.tangents = arrays
        self.state = type(self.state)(*state)


def _require_effect(tuned):
    idle = [t.name for t in tuned if t.parameter.reads == 0]
    if idle:
        raise ValueError(
            f"{idle} had no effect: the train step did not read it. Either "
            "the layer is not called or frozen, or it reads the number only "
            "when it is made."
        )
