"""The loop over data, compiled once for many trainings."""

import keras
import numpy as np
from keras import ops

from keras_regopt.tuning.gradient import _hypergradients
from keras_regopt.tuning.gradient._places import find
from keras_regopt.tuning.gradient._steps import Steps

# How many gradients of the training loss a hyper step stands for.
COSTS = {"t1t2": 3, "implicit": 11, "forward": 1}


class Training:
    """One model whose functions are compiled once, for trainings of any seed.

    Args:
        tuner: The tuner, whose settings count.
        model: A compiled and built model.
    """

    def __init__(self, tuner, model):
        self.tuned = find(model)
        self.steps = steps = Steps(tuner, model, self.tuned)
        self.method = tuner.method
        self.every = tuner.every
        self.hyper_learning_rate = tuner.hyper_learning_rate
        self.validation_data = tuner.validation_data
        self.train = compiled(steps.train)
        self.evaluate = compiled(self._evaluate)
        self._through_one_step = compiled(self._hyper(self.method))
        self._carry = compiled(self._carried)
        self._of_carried = compiled(self._from_carried)

    def _evaluate(self, state, positions, x, y):
        values = self.steps.values(positions)
        return self.steps.validation_loss(
            state.weights, state.others, values, x, y
        )

    def _hyper(self, method):
        name = "implicit" if method == "implicit" else "through_one_step"
        function = getattr(_hypergradients, name)

        def gradient(state, positions, x, y, x_val, y_val, factor):
            train, validation = (x, y), (x_val, y_val)
            return function(
                self.steps, state, positions, train, validation, factor
            )

        return gradient

    def _carried(self, state, tangents, positions, x, y, factor):
        return _hypergradients.carried(
            self.steps, state, tangents, positions, (x, y), factor
        )

    def _from_carried(self, state, tangents, positions, x, y):
        return _hypergradients.of_carried(
            self.steps, state, tangents, positions, (x, y)
        )

    def no_tangents(self, state):
        """The derivatives at the start, where nothing depends on anything."""
        flat = [*state.weights, *(s for each in state.slots for s in each)]
        return [[ops.zeros_like(x) for x in flat] for _ in self.tuned]

    def gradient(self, state, positions, batch, validation, factor):
        """That of the validation loss by the positions, before a step."""
        return numbers(
            self._through_one_step(
                state, positions, *batch, *validation, factor
            )
        )

    def carry(self, state, tangents, positions, batch, factor):
        """The derivatives after a step, in forward mode."""
        return self._carry(state, tangents, positions, *batch, factor)

    def gradient_of_carried(self, state, tangents, positions, validation):
        """The gradient after a step, in forward mode."""
        return numbers(
            self._of_carried(state, tangents, positions, *validation)
        )

    def loss(self, state, positions, data, batch_size=256):
        """The mean of the validation loss over all data, a float."""
        size = count(data)
        total = 0.0
        for start in range(0, size, batch_size):
            rows = np.arange(start, min(start + batch_size, size))
            found = self.evaluate(state, positions, *batch_of(data, rows))
            total += float(ops.convert_to_numpy(found)) * len(rows)
        return total / size


def compiled(function):
    """A function of tensors, compiled where the backend does."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False, reduce_retracing=True)

    def detached(*arguments):
        # The next step must not know how this one came to its numbers.
        return keras.tree.map_structure(
            lambda x: x.detach(), function(*arguments)
        )

    return detached


def moments():
    """What the steps of the hyperparameters remember: two averages, a count."""
    return {"first": 0.0, "second": 0.0, "count": 0}


def moved(positions, gradient, moments, rate):
    """The positions after a step of Adam, within 0 and 1.

    Args:
        positions: A NumPy vector.
        gradient: Another.
        moments: What `moments` returned, which is changed.
        rate: The rate of the step.

    Returns:
        A NumPy vector.
    """
    moments["count"] += 1
    moments["first"] = 0.9 * moments["first"] + 0.1 * gradient
    moments["second"] = 0.99 * moments["second"] + 0.01 * gradient**2
    first = moments["first"] / (1 - 0.9 ** moments["count"])
    second = moments["second"] / (1 - 0.99 ** moments["count"])
    return np.clip(positions - rate * first / (np.sqrt(second) + 1e-12), 0, 1)


def numbers(vector):
    """A vector of the backend as one of float64."""
    return np.array(ops.convert_to_numpy(vector), "float64")


def vector(positions):
    """Positions as a tensor of the backend."""
    return ops.convert_to_tensor(positions, dtype=keras.config.floatx())


def count(data):
    """How many rows data have."""
    return len(keras.tree.flatten(data)[0])


def batch_of(data, rows):
    """Rows of inputs and targets, as tensors."""
    return keras.tree.map_structure(
        lambda x: ops.convert_to_tensor(x[rows]), data
    )


def rows_of_epoch(seed, epoch, size, batch_size):
    """The rows of each batch of an epoch; what is left over is left out."""
    order = np.random.default_rng([seed, epoch]).permutation(size)
    whole = size // batch_size * batch_size
    return order[:whole].reshape(-1, batch_size)


def rows_of_validation(seed, step, size, batch_size):
    """The rows of the validation batch of a step."""
    random = np.random.default_rng([seed, step, 1])
    return random.choice(size, min(batch_size, size), replace=False)
