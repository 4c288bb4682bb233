"""Analytic and numeric slopes of a model's loss, in double precision."""

import keras
import numpy as np
from keras import ops

from keras_regopt._autodiff import pullback
from keras_regopt._keras import double_precision
from keras_regopt.diagnosis._differences import slope
from keras_regopt.diagnosis._loss_function import (
    as_arrays,
    compiled,
    loss_and_updates,
    to_tensors,
)


class GradientProbe:
    """The loss of one batch in one mode, and its slopes.

    Args:
        model: A compiled, built model.
        batch: Triple of inputs, targets and sample weights, in arrays.
        training: Whether the model is called as in training.
        tolerance: The relative error up to which a slope is right.

    Attributes:
        smallest: The size of a slope below which rounding hides it.
    """

    def __init__(self, model, batch, training, tolerance):
        self.tolerance = tolerance
        self._model = model
        self._training = training
        self._batch = batch
        self._values = [_wide(v) for v in as_arrays(model.trainable_variables)]
        self._states = [
            _wide(v) for v in as_arrays(model.non_trainable_variables)
        ]
        self._make_losses()
        # To compile one function takes longer than to run the larger one.
        eager = keras.backend.backend() == "torch" or model.run_eagerly
        with double_precision(model):
            both = compiled(self._with_gradients, model)
            self._function = self._evaluate if eager else both
            loss, *gradients = as_arrays(self._call(both, self._values))
        self.middle, self.gradients = float(loss), gradients
        self.smallest = 1e-5 * abs(self.middle) + 1e-300

    def slopes(self, index, coordinates, directions, random):
        """Pairs of an analytic and a numeric slope along a variable.

        Args:
            index: The index of the trainable variable.
            coordinates: How many coordinates to sample.
            directions: How many random directions to add, if these are not
                all.
            random: A `RandomState`.

        Returns:
            A list of pairs, and how many slopes were left out at kinks.
        """
        gradient = self.gradients[index].ravel()
        chosen = _sampled(gradient, coordinates, random)
        vectors = [(slice(i, i + 1), np.ones(1)) for i in chosen]
        if len(chosen) < gradient.size:
            for _ in range(directions):
                vector = random.choice([-1.0, 1.0], gradient.size)
                vectors.append((slice(None), vector / np.sqrt(gradient.size)))
        pairs, skipped = [], 0
        # The size of the whole gradient, so that tiny slopes are not asked
        # for more digits than the others leave them.
        norm = np.linalg.norm(gradient) / np.sqrt(gradient.size)

        def scale(numeric):
            return max(abs(numeric), norm, self.smallest)

        with double_precision(self._model):
            for part, vector in vectors:
                numeric = slope(
                    lambda step, part=part, vector=vector: self._moved(
                        index, part, step * vector
                    ),
                    self.middle,
                    scale,
                    self.tolerance,
                )
                if numeric is None:
                    skipped += 1
                else:
                    pairs.append((gradient[part] @ vector, numeric))
        return pairs, skipped

    def _moved(self, index, part, move):
        values = list(self._values)
        value = values[index].copy()
        value.reshape(-1)[part] += move
        values[index] = value
        return self._at(values)

    def _at(self, values):
        return float(as_arrays(self._call(self._function, values)[:1])[0])

    def _call(self, function, values):
        _same_draws()
        return function(
            [ops.convert_to_tensor(v, dtype="float64") for v in values]
        )

    def _evaluate(self, tensors):
        return [self._loss(tensors, "float64")]

    def _with_gradients(self, tensors):
        loss, pull = pullback(
            lambda values: self._loss(values, "float64"), tensors, twice=False
        )
        return [loss, *pull(ops.ones_like(loss))]

    def _make_losses(self):
        """Makes the losses, whose precision is to be changed."""

        def loss():
            values = [v.astype("float32") for v in self._values]
            return self._loss(values, "float32")

        if keras.backend.backend() == "jax":
            import jax

            jax.eval_shape(loss)
        else:
            loss()

    def _loss(self, values, floats):
        states = [
            ops.convert_to_tensor(
                s, dtype=floats if s.dtype.kind == "f" else None
            )
            for s in self._states
        ]
        values = [ops.convert_to_tensor(v, dtype=floats) for v in values]
        batch = [to_tensors(part, floats) for part in self._batch]
        loss, _ = loss_and_updates(
            self._model, values, states, batch, self._training
        )
        return loss


def _wide(array):
    # bfloat16 is of no kind that NumPy knows.
    whole = array.dtype.kind in "iub"
    return array if whole else array.astype("float64")


def _sampled(gradient, count, random):
    """Coordinates, half of which have a gradient where that is rare."""
    if gradient.size <= count:
        return np.arange(gradient.size)
    rows = random.choice(gradient.size, count, replace=False)
    used = np.flatnonzero(gradient)
    if len(used):
        half = random.choice(used, min(count // 2, len(used)), replace=False)
        rows = np.unique(np.concatenate([half, rows]))
        rows = random.permutation(rows)[: max(count, len(half))]
        rows = np.unique(np.concatenate([half, rows[: count - len(half)]]))
    return rows


def _same_draws():
    """Begins torch's own generator again, which its dropout draws from."""
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(0)
