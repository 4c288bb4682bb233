"""Data and trainings of bench_optimizer_quality.py, on JAX."""

import time

import jax
import jax.numpy as jnp
import keras
import numpy as np
from sklearn.model_selection import train_test_split

from keras_regopt.optimizers import LBFGS, fit_full_batch

BATCH = 32
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
# Of the rate that a class proposes.
FACTORS = [float(factor) for factor in 10.0 ** np.arange(-1.5, 2.1, 0.5)]
SCHEDULES = ("constant", "cosine")
# Of the gradients that a training may take.
LENGTHS = (1 / 4, 1 / 2, 1)


class Task:
    """Data in three parts, and a network for it.

    Args:
        load: Function of scikit-learn that gives inputs and labels.
        scaler: Transformer of scikit-learn, fitted to the training part.
        layers: Function that makes the layers but the last.
        train: Examples to train with.
        tuning: Examples to tune with; the rest is for the test.
        gradients: Gradients of a batch that one training takes.
    """

    def __init__(self, load, scaler, layers, *, train, tuning, gradients):
        x, y = load(return_X_y=True)
        x, x_rest, y, y_rest = _split(x, y, train)
        x_tuning, x_test, y_tuning, y_test = _split(x_rest, y_rest, tuning)
        scaler.fit(x)
        self.parts = {
            name: (scaler.transform(part).astype("float32"), labels)
            for name, part, labels in (
                ("train", x, y),
                ("tuning", x_tuning, y_tuning),
                ("test", x_test, y_test),
            )
        }
        self.layers = layers
        self.gradients = gradients

    def network(self, seed=0):
        keras.utils.set_random_seed(seed)
        x, y = self.parts["train"]
        return keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                *self.layers(),
                keras.layers.Dense(int(y.max()) + 1),
            ]
        )

    def batches(self, steps, seed):
        """The examples of each step, every one at most once an epoch."""
        random = np.random.default_rng(seed)
        examples = len(self.parts["train"][0])
        count = examples // BATCH
        epochs = [
            random.permutation(examples)[: count * BATCH]
            for _ in range(-(-steps // count))
        ]
        return np.concatenate(epochs).reshape(-1, BATCH)[:steps]


class Trainer:
    """Trains a network again and again.

    A subclass has `trials`, a list of (factor on the rate, schedule, steps),
    and writes `train(trial, seed)`, which returns the CPU seconds.

    Args:
        task: The task.
    """

    def __init__(self, task):
        self.task = task
        self.network = task.network()
        self._logits = jax.jit(
            lambda values, x: self.network.stateless_call(values, [], x)[0]
        )
        self._starts = {}

    def run(self, trial, seed, part):
        """Trains once.

        Returns:
            Loss, accuracy, on this part of the data, and CPU seconds.
        """
        seconds = self.train(trial, seed)
        x, y = self.task.parts[part]
        logits = self._logits(_values(self.network.trainable_variables), x)
        loss = float(LOSS(y, logits))
        accuracy = np.mean(np.argmax(logits, axis=-1) == y)
        # What has diverged is the worst of all.
        return (loss if np.isfinite(loss) else np.inf), accuracy, seconds

    def start(self, seed):
        """The weights that training starts from, the same for everyone."""
        if seed not in self._starts:
            self._starts[seed] = self.task.network(seed).get_weights()
        return self._starts[seed]


class ByGradients(Trainer):
    """Trains by Keras' own train step, many of them in one compiled loop."""

    def __init__(self, task, recipe):
        super().__init__(task)
        self.recipe = recipe
        self.optimizer = recipe.make(1.0)
        self.model = recipe.model(self.network)
        self.model.compile(self.optimizer, LOSS)
        self.optimizer.build(self.model.trainable_variables)
        # The parts of the state of Keras' train step, in its order.
        self.variables = (
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            self.optimizer.variables,
            self.model.metrics_variables,
        )
        self.fresh = [_values(variables) for variables in self.variables]
        rate = self.optimizer.learning_rate
        self.rate_at = [v is rate for v in self.optimizer.variables].index(True)
        self.steps = task.gradients // recipe.gradients
        self.trials = [
            (factor, schedule, int(self.steps * length))
            for factor in FACTORS
            for schedule in SCHEDULES
            for length in LENGTHS
        ]
        self.loop = jax.jit(self._loop)
        # Compiled now, so that no training is charged with it.
        self.train(self.trials[0], 0)

    def train(self, trial, seed):
        factor, schedule, steps = trial
        _, *others = self.fresh
        state = [self.start(seed), *map(list, others)]
        state[2][self.rate_at] = np.float32(self.recipe.rate * factor)
        batches = self.task.batches(self.steps, seed)
        before = time.process_time()
        state = self.loop(state, batches, steps, schedule == "cosine")
        jax.block_until_ready(state)
        seconds = time.process_time() - before
        for variables, values in zip(self.variables, state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        # As `fit` does at its end.
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        if hasattr(self.optimizer, "switch_to_evaluation"):
            self.optimizer.switch_to_evaluation()
        return seconds

    def _loop(self, state, batches, steps, decays):
        x, y = map(jnp.asarray, self.task.parts["train"])

        def step(index, state):
            batch = batches[index]
            _, state = self.model.train_step(state, (x[batch], y[batch]))
            state = [list(values) for values in state]
            # By a factor, which leaves its part to an optimizer that learns
            # the rate.
            now, then = (
                1 + jnp.cos(jnp.pi * (index + more) / steps) for more in (0, 1)
            )
            state[2][self.rate_at] *= jnp.where(decays, then / now, 1.0)
            return state

        state = jax.tree.map(jnp.asarray, state)
        return jax.lax.fori_loop(0, steps, step, state)


class ByIterations(Trainer):
    """L-BFGS on all examples at once.

    It has no rate to tune; what is tuned is when to stop.
    """

    def __init__(self, task):
        super().__init__(task)
        self.network.compile(loss=LOSS)
        examples = len(task.parts["train"][0])
        self.evaluations = task.gradients * BATCH // examples
        self.trials = [(1, "", i + 1) for i in range(self.evaluations)]

    def train(self, trial, seed):
        self.network.set_weights(self.start(seed))
        before = time.process_time()
        fit_full_batch(
            self.network,
            *self.task.parts["train"],
            method=LBFGS(),
            max_iterations=trial[-1],
            callbacks=[_StopAfter(self.evaluations)],
        )
        return time.process_time() - before


class _StopAfter(keras.callbacks.Callback):
    """Ends a fit after some evaluations of the loss."""

    def __init__(self, evaluations):
        super().__init__()
        self.evaluations = evaluations

    def on_epoch_end(self, epoch, logs=None):
        if logs["evaluations"] >= self.evaluations:
            self.model.stop_training = True


def _split(x, y, size):
    return train_test_split(x, y, train_size=size, stratify=y, random_state=0)


def _values(variables):
    return [np.asarray(variable) for variable in variables]
