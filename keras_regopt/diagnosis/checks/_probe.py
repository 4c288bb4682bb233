"""The step of a training, compiled once, for all checks that train."""

import functools
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_regopt._autodiff import pullback
from keras_regopt._keras import ValuesScope, held_rate, replace_rate
from keras_regopt._optimizer_tree import inner_of
from keras_regopt.callbacks.rates._rates import rate_holders
from keras_regopt.diagnosis._loss_function import (
    as_arrays,
    compiled,
    loss_and_updates,
    to_tensors,
)

# Half precision loses small gradients; they are scaled as Keras does.
_SCALE = 1024.0


@dataclass
class Run:
    """What a few steps of training have shown.

    Attributes:
        losses: The loss of each step's batch, before the step.
        ratios: The length of the last update of each variable, relative to
            that of the variable.
    """

    losses: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def finite(self):
        """Whether every loss is a number."""
        return bool(np.isfinite(self.losses).all())


class Probe:
    """Steps of training on batches of one size, and gradients.

    It trains the model itself; `reset` puts it back to where it was.

    Args:
        case: A `CheckCase`.
    """

    def __init__(self, case):
        self._case = case
        self._model = case.model
        self.size = min(case.batch_size, 32, case.count)
        self.variables = case.model.trainable_variables
        self._others = case.model.non_trainable_variables
        self._start = self._values()
        half = "16" in str(case.model.compute_dtype) or any(
            "16" in str(layer.compute_dtype) for layer in case.model.layers
        )
        self._scale = _SCALE if half else 1.0
        self._function = compiled(self._step, case.model)
        self._factor = keras.Variable(1.0, trainable=False, name="factor")
        self._updates: dict[Any, Any] = {}

    def batch(self, number):
        """The rows of a batch; the same number always has the same."""
        count = self._case.count
        order = self._order(number * self.size // count)
        start = number * self.size % count
        rows = order[start : start + self.size]
        return np.concatenate([rows, order[: self.size - len(rows)]])

    def tensors(self, rows):
        """Inputs, targets and no weights of some rows."""
        x, y = self._case.take(rows)
        return to_tensors(x), to_tensors(y), None

    def gradients(self, rows):
        """The loss and the gradients of a batch, as in training.

        Returns:
            A float and a list of arrays.
        """
        loss, gradients, _ = self._called(self.tensors(rows))
        return float(ops.convert_to_numpy(loss)), as_arrays(gradients)

    def train(self, batches, optimizer):
        """Makes a step on each batch.

        Args:
            batches: List of arrays of rows.
            optimizer: A Keras optimizer that is built for the variables.

        Returns:
            A `Run`; it ends early where a loss is no number.
        """
        run = Run()
        known = {}
        for number, rows in enumerate(batches):
            key = rows.tobytes()
            if key not in known:
                known[key] = self.tensors(rows)
            loss, gradients, states = self._called(known[key])
            run.losses.append(float(ops.convert_to_numpy(loss)))
            if not run.finite:
                break
            last = number == len(batches) - 1
            before = as_arrays(self.variables) if last else None
            self._update(optimizer, gradients)
            for variable, state in zip(self._others, states, strict=True):
                if state is not None:
                    variable.assign(_detached(state))
            if last:
                run.ratios = _ratios(before, as_arrays(self.variables))
        return run

    def train_at(self, factor, batches):
        """Begins at the start, and trains at a multiple of the own rates.

        Args:
            factor: By what the learning rates are multiplied.
            batches: As in `train`.

        Returns:
            A `Run`.
        """
        self.reset()
        self._factor.assign(factor)
        for holder, _, scaled in self._rates:
            replace_rate(holder, scaled)
        optimizer = self._model.optimizer
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            # The losses are scaled already.
            optimizer = inner_of(optimizer)
        return self.train(batches, optimizer)

    def rates(self):
        """The learning rates of the optimizer, a list of floats.

        Of a schedule, the highest rate of the first 10,000 steps.
        """
        return [rate for _, rate, _ in self._rates]

    @functools.cached_property
    def _rates(self):
        """The holders of rates, their rates, and these times the factor."""
        found = []
        for _, holder in rate_holders(self._model.optimizer):
            rate = held_rate(holder)
            if isinstance(
                rate, keras.optimizers.schedules.LearningRateSchedule
            ):
                steps = np.unique(np.geomspace(1, 10_000, 40).astype(int)) - 1
                value = max(
                    float(ops.convert_to_numpy(rate(ops.convert_to_tensor(s))))
                    for s in steps
                )
            else:
                value = float(ops.convert_to_numpy(holder.learning_rate))
            found.append((holder, value, self._scaled(value)))
        return found

    def _scaled(self, rate):
        return lambda: ops.multiply(self._factor, rate)

    def reset(self):
        """Puts the model back to where the probe began."""
        for variable, value in self._start:
            variable.assign(value)

    def _values(self):
        optimizer = self._model.optimizer
        variables = [*self._model.variables, *optimizer.variables]
        return [(v, np.array(ops.convert_to_numpy(v))) for v in variables]

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def _order(self, epoch):
        return self._case.random(f"epoch {epoch}").permutation(self._case.count)

    def _update(self, optimizer, gradients):
        if keras.backend.backend() != "jax" or self._model.run_eagerly:
            _no_graph(lambda: optimizer.apply(gradients, self.variables))
            return
        # Eagerly, JAX compiles every operation for every shape.
        rates = [held_rate(holder) for _, holder in rate_holders(optimizer)]
        variables = [*self.variables, *optimizer.variables, self._factor]

        def updated(values, slopes):
            with ValuesScope(variables, values) as scope:
                optimizer.apply(slopes, self.variables)
                return [scope.get_current_value(v) for v in variables]

        key = (id(optimizer), *map(id, rates))
        # The objects stay, so that no other gets their identity.
        kept = self._updates.setdefault(
            key, (compiled(updated, self._model), optimizer, rates)
        )
        values = kept[0]([v.value for v in variables], gradients)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _called(self, batch):
        values = [v.value for v in self.variables]
        states = [v.value for v in self._others]
        x, y, _ = batch
        return self._function(values, states, x, y)

    def _step(self, values, states, x, y):
        after: list[Any] = []

        def loss(tensors):
            value, new = loss_and_updates(
                self._model, tensors, states, (x, y, None), True
            )
            after[:] = new
            return ops.cast(value, "float32") * self._scale

        value, gradients = _slopes(loss, values, after)
        gradients = [g / self._scale for g in gradients]
        return value / self._scale, gradients, list(after)


def _slopes(loss, values, after):
    """The loss and its gradients; JAX hands on the states, too."""
    if keras.backend.backend() == "jax":
        import jax

        def both(tensors):
            return loss(tensors), list(after)

        (value, states), slopes = jax.value_and_grad(both, has_aux=True)(values)
        after[:] = states
        return value, slopes
    value, pull = pullback(loss, values, twice=False)
    slopes = pull(ops.ones_like(value))
    if keras.backend.backend() == "torch":
        value = value.detach()
    return value, slopes


def _detached(tensor):
    return tensor.detach() if hasattr(tensor, "detach") else tensor


def _no_graph(function):
    if keras.backend.backend() != "torch":
        return function()
    import torch

    with torch.no_grad():
        return function()


def _ratios(before, after):
    ratios = []
    for old, new in zip(before, after, strict=True):
        size = np.linalg.norm(old)
        if old.ndim > 1 and size > 0:
            ratios.append(float(np.linalg.norm(new - old) / size))
    return ratios
