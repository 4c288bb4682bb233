"""Trainings of bench_study.py, on JAX, by Keras' own train step."""

import dataclasses
import time
import typing

import jax
import jax.numpy as jnp
import keras
import numpy as np
from _quality_recipes import Recipe, of
from _study_batches import augmented, curve
from _study_task import BATCH, ON_THE_WAY, POINTS, network

EPOCHS = 20


def cross_entropy(smoothing=0.0):
    return keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing
    )


def warm_cosine(steps):
    """A warm-up over a tenth of the steps, and a cosine decay to zero."""
    warm_up = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=1.0, warmup_steps=warm_up
    )


@dataclasses.dataclass
class Setup:
    """A training, but for data and seed.

    Args:
        chosen: A list of pairs of a `Technique` and a strength.
        recipe: Makes the optimizer.
        factor: Multiplies the rate that the recipe proposes.
        schedule: Gives a schedule that peaks at 1, from the number of steps.
        augment: Layer that is mapped over the batches.
        loss: The loss to train with.
        callbacks: Gives callbacks, from the number of steps; with these it is
            `fit` that trains.
    """

    chosen: list = dataclasses.field(default_factory=list)
    recipe: Recipe = dataclasses.field(
        default_factory=lambda: of(keras.optimizers.Adam)
    )
    factor: float = 1.0
    schedule: typing.Callable = warm_cosine
    augment: typing.Callable | None = None
    loss: typing.Callable = dataclasses.field(default_factory=cross_entropy)
    callbacks: typing.Callable | None = None

    @property
    def rate(self):
        return self.recipe.rate * self.factor

    @property
    def trainer(self):
        return ByStep if self.callbacks is None else ByFit


@dataclasses.dataclass
class Outcome:
    """Loss and accuracy, those of the way, and the CPU seconds it took."""

    loss: float
    accuracy: float
    way: list
    seconds: float


class Trainer:
    """Trains a network again and again, compiled once.

    Args:
        task: The task.
        setup: The first setup; another that differs in the factor, the
            schedule or the augmentation alone may be run, too.
    """

    def __init__(self, task, setup):
        self.task = task
        before = time.process_time()
        self.model = setup.recipe.model(network(setup.chosen, 0))
        self._compile(setup)
        # What remembers weights takes them up now.
        _ = self.model.losses
        self.model.optimizer.build(self.model.trainable_variables)
        self.variables = (
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            self.model.optimizer.variables,
            self.model.metrics_variables,
        )
        self.fresh = [[np.array(v) for v in part] for part in self.variables]
        # Of setups without techniques in the net, which all start the same.
        self.starts = {} if setup.chosen else task.starts
        self.logits = jax.jit(
            lambda trainable, others, x: self.model.stateless_call(
                trainable, others, x, training=False
            )[0]
        )
        self._prepare()
        self.compile_seconds = time.process_time() - before

    def start(self, setup, seed):
        """The state at the start from a seed: weights and what goes with them.

        The optimizer starts from the same state whatever the seed is.
        """
        if seed not in self.starts:
            model = setup.recipe.model(network(setup.chosen, seed))
            _ = model.losses
            self.starts[seed] = [
                [np.array(v) for v in model.trainable_variables],
                [np.array(v) for v in model.non_trainable_variables],
            ]
        _, _, *others = self.fresh
        return [*self.starts[seed], *map(list, others)]

    def assign(self, state):
        for variables, values in zip(self.variables, state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def scores(self, part, weights, rows=None):
        """Mean cross-entropy and accuracy of weights."""
        x, y = (values[:rows] for values in part)
        logits = np.concatenate(
            [
                self.logits(*weights, x[i : i + ON_THE_WAY])
                for i in range(0, len(x), ON_THE_WAY)
            ]
        ).astype("float64")
        logits -= logits.max(-1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        loss = -logs[np.arange(len(y)), y].mean()
        return float(loss), float(np.mean(logits.argmax(-1) == y))

    def weights(self):
        """The weights that the model has: trainable and others."""
        return [[v.value for v in part] for part in self.variables[:2]]


class ByStep(Trainer):
    """Calls the compiled train step, with the rate of each step."""

    def _compile(self, setup):
        self.model.compile(setup.recipe.make(1.0), setup.loss)

    def _prepare(self):
        optimizer = self.model.optimizer
        rate = optimizer.learning_rate
        self.rate_at = [v is rate for v in optimizer.variables].index(True)
        batch = (
            np.zeros((BATCH, 28, 28, 1), "float32"),
            np.zeros((BATCH, 10), "float32"),
        )
        step = jax.jit(self._step, donate_argnums=0)
        state = jax.tree.map(jnp.array, self.fresh)
        self.step = step.lower(state, *batch, np.float32(1)).compile()

    def _step(self, state, x, y, change):
        # By a factor, which leaves its part to an optimizer that learns the
        # rate.
        state[2][self.rate_at] *= change
        _, state = self.model.train_step(state, (x, y))
        return [list(values) for values in state]

    def run(self, setup, seed, part, on_the_way=False):
        """Trains from a seed; returns the `Outcome` on a part of the data."""
        state = self.start(setup, seed)
        rates = curve(setup.schedule, self.task.steps)
        changes = rates / np.append(np.float32(1), rates[:-1])
        state[2][self.rate_at] = np.float32(setup.rate)
        state = jax.tree.map(jnp.array, state)
        points = np.arange(1, POINTS) * self.task.steps // POINTS
        way, aside = [], 0.0
        before = time.process_time()
        for index, (x, y) in enumerate(augmented(self.task, setup, seed)):
            if on_the_way and index in points:
                scored, taken = self._scored(state)
                way.append(scored)
                aside += taken
            state = self.step(state, x, y, changes[index])
        jax.block_until_ready(state)
        seconds = time.process_time() - before - aside
        weights = self._weights_of(state)
        if on_the_way:
            way.append(self.scores(self.task.dev, weights, ON_THE_WAY)[1])
        scores = self.scores(getattr(self.task, part), weights)
        return Outcome(*scores, way, seconds)

    def _scored(self, state):
        # The steps that are still under way belong to the training.
        jax.block_until_ready(state)
        before = time.process_time()
        weights = self._weights_of(state)
        _, accuracy = self.scores(self.task.dev, weights, ON_THE_WAY)
        return accuracy, time.process_time() - before

    def _weights_of(self, state):
        """The weights that `fit` would leave, would it end now."""
        optimizer = self.model.optimizer
        if not (
            optimizer.use_ema or hasattr(optimizer, "switch_to_evaluation")
        ):
            return state[:2]
        # Copies, since the next step takes the state's memory.
        self.assign(jax.tree.map(np.array, state))
        optimizer.finalize_variable_values(self.model.trainable_variables)
        if hasattr(optimizer, "switch_to_evaluation"):
            optimizer.switch_to_evaluation()
        return self.weights()


class ByFit(Trainer):
    """Trains by `fit`, for callbacks."""

    def _compile(self, setup):
        rate = setup.rate
        if setup.schedule is not None:
            rate = keras.optimizers.schedules.CosineDecay(
                0.0,
                self.task.steps - self.task.steps // 10,
                warmup_target=rate,
                warmup_steps=self.task.steps // 10,
            )
        self.model.compile(setup.recipe.make(rate), setup.loss)

    def _prepare(self):
        pass

    def run(self, setup, seed, part, on_the_way=False):
        """As `ByStep.run`."""
        self.assign(self.start(setup, seed))
        way = []
        steps = self.task.steps // EPOCHS
        callbacks = list(setup.callbacks(self.task.steps))
        aside = 0.0

        def look(epoch, logs):
            nonlocal aside
            if epoch % (EPOCHS // POINTS):
                before = time.process_time()
                scored = self.scores(self.task.dev, self.weights(), ON_THE_WAY)
                way.append(scored[1])
                aside += time.process_time() - before

        if on_the_way:
            callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=look))
        before = time.process_time()
        self.model.fit(
            augmented(self.task, setup, seed),
            epochs=EPOCHS,
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
        seconds = time.process_time() - before - aside
        scores = self.scores(getattr(self.task, part), self.weights())
        return Outcome(*scores, way, seconds)
