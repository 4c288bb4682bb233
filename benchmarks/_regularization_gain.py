"""Data and trainings of bench_regularization.py's second part, on JAX."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
from _regularization_networks import convolutional, dense
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

BATCH = 32
# The share of the training labels that are drawn again, for classes.
NOISE = 0.1
PEAK = 0.003


class Task:
    """Data in three parts, a network for it, and how long to train.

    Args:
        load: Function of scikit-learn that gives inputs and targets.
        network: Function of techniques, shape, units and seed.
        train: Examples to train with, with noise in the labels of classes.
        tuning: Examples to choose a strength with; the rest is for the test.
        steps: Train steps.
        prepare: Function of the inputs that are trained with, which gives a
            function of all inputs.
    """

    def __init__(self, load, network, *, train, tuning, steps, prepare):
        x, y = load(return_X_y=True)
        self.classes = np.issubdtype(y.dtype, np.integer)
        split = functools.partial(train_test_split, random_state=0)
        by = (lambda y: y) if self.classes else (lambda y: None)
        x, x_rest, y, y_rest = split(x, y, train_size=train, stratify=by(y))
        x_tuning, x_test, y_tuning, y_test = split(
            x_rest, y_rest, train_size=tuning, stratify=by(y_rest)
        )
        prepared = prepare(x)
        if self.classes:
            self.units = int(y.max()) + 1
            random = np.random.default_rng(0)
            spoiled = random.random(len(y)) < NOISE
            y = np.where(spoiled, random.integers(0, self.units, len(y)), y)
        else:
            self.units = 1
            mean, scale = y.mean(), y.std()
            y, y_tuning, y_test = (
                ((part - mean) / scale)[:, None].astype("float32")
                for part in (y, y_tuning, y_test)
            )
        self.parts = {
            "train": (prepared(x), y),
            "tuning": (prepared(x_tuning), y_tuning),
            "test": (prepared(x_test), y_test),
        }
        self.network = network
        self.steps = steps

    @property
    def loss(self):
        if self.classes:
            return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return keras.losses.MeanSquaredError()

    def model(self, chosen, seed=0):
        shape = self.parts["train"][0].shape[1:]
        keras.utils.set_random_seed(seed)
        return self.network(chosen, shape=shape, units=self.units, seed=seed)

    def batches(self, seed):
        """The examples of each step, every one at most once an epoch."""
        random = np.random.default_rng(seed)
        examples = len(self.parts["train"][0])
        count = examples // BATCH
        epochs = [
            random.permutation(examples)[: count * BATCH]
            for _ in range(-(-self.steps // count))
        ]
        return np.concatenate(epochs).reshape(-1, BATCH)[: self.steps]

    def scores(self, outputs, part):
        """The loss, and the accuracy or the coefficient of determination."""
        y = self.parts[part][1]
        loss = float(self.loss(y, outputs))
        if self.classes:
            return loss, float(np.mean(np.argmax(outputs, -1) == y))
        return loss, 1 - loss / float(np.var(y))


class Trainer:
    """Trains a network with techniques again and again, compiled once.

    Args:
        task: The task.
        chosen: A list of pairs of a technique and a strength.
    """

    def __init__(self, task, chosen):
        self.task = task
        self.chosen = chosen
        self.model = self._compiled_model(0)
        self.train = [jnp.asarray(part) for part in task.parts["train"]]
        # Not in a compiled loop, where XLA's convolutions on a CPU are slow.
        self.step = jax.jit(self._step)
        self.outputs = jax.jit(self._outputs)

    def run(self, seed, part):
        """Trains from a seed; returns the scores on a part of the data."""
        state = self._state(self._compiled_model(seed))
        for batch in self.task.batches(seed):
            state = self.step(state, batch)
        outputs = self.outputs(state, self.task.parts[part][0])
        return self.task.scores(np.asarray(outputs), part)

    def _compiled_model(self, seed):
        model = self.task.model(self.chosen, seed)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, self.task.steps, warmup_target=PEAK, warmup_steps=30
        )
        model.compile(keras.optimizers.Adam(rate), self.task.loss)
        # What remembers weights takes them up now.
        _ = model.losses
        model.optimizer.build(model.trainable_variables)
        return model

    def _state(self, model):
        """The parts of the state of Keras' train step, in its order."""
        return [
            [jnp.array(v.value) for v in variables]
            for variables in (
                model.trainable_variables,
                model.non_trainable_variables,
                model.optimizer.variables,
                model.metrics_variables,
            )
        ]

    def _step(self, state, batch):
        x, y = self.train
        _, state = self.model.train_step(state, (x[batch], y[batch]))
        return [list(values) for values in state]

    def _outputs(self, state, x):
        outputs, _ = self.model.stateless_call(
            state[0], state[1], x, training=False
        )
        return outputs


def _scaled_pixels(x):
    return lambda x: (x / 16).reshape(-1, 8, 8, 1).astype("float32")


def _standardized(x):
    scaler = StandardScaler().fit(x)
    return lambda x: scaler.transform(x).astype("float32")


TASKS = {
    "Digits": functools.partial(
        Task,
        load_digits,
        functools.partial(convolutional, filters=16),
        train=300,
        tuning=500,
        steps=400,
        prepare=_scaled_pixels,
    ),
    "Breast cancer": functools.partial(
        Task,
        load_breast_cancer,
        functools.partial(dense, width=64, depth=4),
        train=150,
        tuning=200,
        steps=300,
        prepare=_standardized,
    ),
    "Diabetes": functools.partial(
        Task,
        load_diabetes,
        functools.partial(dense, width=64, depth=4),
        train=150,
        tuning=140,
        steps=300,
        prepare=_standardized,
    ),
}
