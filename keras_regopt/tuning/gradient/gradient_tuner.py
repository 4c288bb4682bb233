"""The tuner that follows the gradient of the validation loss."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_regopt._types import Path
from keras_regopt._validate import (
    fail,
    in_range,
    integer,
    one_of,
    positive_int,
)
from keras_regopt.tuning.gradient import _comparison, _record
from keras_regopt.tuning.gradient._checks import checked_data, checked_model
from keras_regopt.tuning.gradient._run import Run
from keras_regopt.tuning.gradient._training import COSTS, Training, count


class GradientTuner:
    """Moves hyperparameters along a gradient while the model trains.

    One training instead of a search: every few steps each `HyperParameter` of
    the model moves against the gradient of the loss on a batch of validation
    data. Use it for many hyperparameters, such as a strength for each layer,
    where a search would need many trainings. It looks ahead for a few steps
    and may end far off, with too much noise: give narrow bounds, and see
    `compare`, which tells whether it was worth its cost.

    The methods differ in how far they look:

    - `"t1t2"` differentiates through one step of the optimizer, for about three
      more gradients. With the weights `w'(h)` after the step, it is
      `d validation_loss(w'(h)) / dh`.
    - `"implicit"` takes the weights for a minimum of the training loss, by a
      Neumann series of six terms, for eleven more gradients. The learning rate
      has the gradient of `"t1t2"`.
    - `"forward"` carries the derivatives of the weights by each hyperparameter
      through all steps: exact, at the cost of some gradients for each
      hyperparameter in every step. For one or two, such as the learning rate.

    Hyperparameters move by Adam, in fractions of their range on their scale.
    The loss on validation data is the compiled one, without penalties and
    without label smoothing. Works on TensorFlow, JAX and torch, compiled on the
    first two, with the optimizers `SGD`, `Adam`, `AdamW` and `RMSprop` of this
    package.

    Args:
        build: Function without arguments that returns a compiled model with
            `HyperParameter` objects in the place of numbers.
        validation_data: Tuple `(x, y)` of arrays, or structures of them. What
            is left for an honest estimate must be other data.
        method: `"t1t2"`, `"implicit"` or `"forward"`. Defaults to `"t1t2"`.
        every: How many train steps make a hyper step, an integer >= 1. Each
            step is often unstable. Defaults to `8`.
        hyper_learning_rate: How far a hyperparameter moves in a step at most,
            about, as a fraction of its range; a number > 0. Defaults to `0.02`.
        seed: Seed of weights, batches and all else, an integer >= 0. Defaults
            to `0`.
        directory: Folder for a file of the training, written after each epoch,
            from which the same program goes on. Defaults to `None`, no file.

    Attributes:
        model: The model, with the last weights and values.
        history: Dict of the name of each hyperparameter and the list of its
            values, the first one and one after each hyper step; with `"loss"`
            and `"val_loss"` of each epoch.

    Raises:
        ValueError: If an argument is out of its range; if the model has no
            hyperparameter, or an optimizer that no gradient goes through.

    Examples:
        >>> from keras_regopt import optimizers, regularizers
        >>> from keras_regopt.tuning import HyperParameter
        >>> def build():
        ...     strength = HyperParameter(1e-3, 1e-6, 1.0, name="l2")
        ...     penalty = regularizers.L2(strength)
        ...     layer = keras.layers.Dense(1, kernel_regularizer=penalty)
        ...     model = keras.Sequential([keras.Input((2,)), layer])
        ...     model.compile(optimizers.SGD(0.1), "mse")
        ...     return model
        >>> x = np.linspace(-1, 1, 32).reshape(16, 2).astype("float32")
        >>> tuner = GradientTuner(build, (x[8:], x[8:, :1]), every=1)
        >>> history = tuner.fit(x[:8], x[:8, :1], epochs=2, verbose=0)
        >>> len(history["l2"]), len(history["val_loss"])
        (3, 2)

    References:
        Luketina et al. 2016, Scalable gradient-based tuning of continuous
        regularization hyperparameters (arXiv 1511.06727); Lorraine, Vicol and
        Duvenaud 2020, Optimizing millions of hyperparameters by implicit
        differentiation (arXiv 1911.02590); Franceschi et al. 2017, Forward and
        reverse gradient-based hyperparameter optimization (arXiv 1703.01785).
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        validation_data: tuple[Any, Any],
        method: str = "t1t2",
        every: int = 8,
        hyper_learning_rate: float = 0.02,
        seed: int = 0,
        directory: Path | None = None,
    ):
        if not callable(build):
            fail(self, "build", "a function that returns a model", build)
        self.build = build
        self.validation_data = checked_data(
            self, "validation_data", validation_data
        )
        self.method = one_of(self, "method", method, tuple(COSTS))
        self.every = positive_int(self, "every", every)
        self.hyper_learning_rate = in_range(
            self, "hyper_learning_rate", hyper_learning_rate, above=0
        )
        self.seed = integer(self, "seed", seed, low=0)
        self.directory = directory
        self.model = self._new_model(self.seed)
        self._training = Training(self, self.model)
        # As the model has them, before any training.
        self._first = np.array(
            [
                t.parameter.position_of(t.parameter.value)
                for t in self._training.tuned
            ]
        )
        self.history: dict[str, list[float]] = {}

    def fit(
        self,
        x: Any,
        y: Any,
        epochs: int = 1,
        batch_size: int = 32,
        verbose: int = 1,
    ) -> dict[str, list[float]]:
        """Trains the model and its hyperparameters, from the start.

        Args:
            x: Inputs, arrays or a structure of them.
            y: Targets.
            epochs: How often to go through the data, in an order that each
                epoch draws. Defaults to `1`.
            batch_size: Rows in a batch, of training and of validation. What is
                left of an epoch is left out. Defaults to `32`.
            verbose: `0` for silence, `1` for a line an epoch.

        Returns:
            The `history`.

        Raises:
            ValueError: If the data do not fit the validation data, a
                hyperparameter has no effect, or the file in `directory` is of
                another training.
            FloatingPointError: If a gradient is not finite.
        """
        data = checked_data(self, "x, y", (x, y), like=self.validation_data)
        epochs = positive_int(self, "epochs", epochs)
        size = min(positive_int(self, "batch_size", batch_size), count(data))
        self._fitted = data, epochs, size
        run = Run(
            self._training, self._fresh_state(self.seed), self._first, self.seed
        )
        self.history = run.history
        start = self._resume(run)
        for epoch in range(start, epochs):
            run.epoch(data, epoch, size)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs}: {run.summary()}")
            self._save(run, epoch + 1)
        self._finish(run)
        return self.history

    def schedule(self, name: str) -> Any:
        """The path of a hyperparameter, to be trained with again.

        Args:
            name: The name in `history`.

        Returns:
            A schedule of Keras that counts steps, for the `learning_rate` of an
            optimizer or for `HyperparameterSchedule(..., per="step")`.
        """
        names = [tuned.name for tuned in self._training.tuned]
        path = self.history[one_of(self, "name", name, tuple(names))]
        steps = [self.every * (i + 1) - 1 for i in range(len(path) - 1)]
        schedules = keras.optimizers.schedules
        return schedules.PiecewiseConstantDecay(steps, list(path))

    def compare(
        self,
        test_data: tuple[Any, Any] | None = None,
        trials: int | None = None,
        verbose: int = 1,
    ) -> list[dict[str, Any]]:
        """What else would have come of about the same cost.

        Besides the training of `fit`: a replay of its path on another seed, a
        training at its last values, one at the first values with a cosine decay
        of the learning rate, each of them with as many gradients as the tuned
        one took, and a random search that keeps the trial with the lowest
        validation loss. All run on the functions that are compiled already.

        Args:
            test_data: Tuple `(x, y)` that decides; else validation data do,
                which the tuner and the search have seen.
            trials: Trials of the random search. Defaults to `None`, as many
                whole trainings as the cost pays for, 2 at least.
            verbose: `1` to print the table, `0` for silence.

        Returns:
            A list of dicts with `name`, `cost` (gradients of a batch),
            `val_loss`, `test_loss` and `values`.
        """
        if not self.history:
            raise RuntimeError("Call `fit` before `compare`.")
        if test_data is not None:
            test_data = checked_data(
                self, "test_data", test_data, like=self.validation_data
            )
        comparison = _comparison.Comparison(
            self._training,
            self._run,
            self._first,
            self._fitted,
            self._fresh_state,
        )
        rows = comparison.rows(test_data, trials)
        if verbose:
            print(_comparison.table(rows))
        return rows

    def _new_model(self, seed):
        keras.utils.set_random_seed(seed)
        return checked_model(self, self.build(), self.validation_data)

    def _fresh_state(self, seed):
        """The state of a new model of a seed."""
        fresh = self._new_model(seed)
        new = Training(self, fresh).steps.state()
        mine = self._training.steps.state()
        shapes = [
            [tuple(v.shape) for v in keras.tree.flatten(s)] for s in (new, mine)
        ]
        if shapes[0] != shapes[1]:
            fail(self, "build", "a function whose models are alike", self.build)
        return new

    def _made_with(self):
        data, _, size = self._fitted
        return {
            "method": self.method,
            "every": self.every,
            "hyper_learning_rate": self.hyper_learning_rate,
            "seed": self.seed,
            "batch_size": size,
            "x, y": [count(data), count(self.validation_data)],
            "hyperparameters": [
                [t.name, t.parameter.low, t.parameter.high, t.parameter.scale]
                for t in self._training.tuned
            ],
        }

    def _save(self, run, epoch):
        if self.directory is not None:
            made_with = self._made_with()
            progress = {"epoch": epoch, **run.progress()}
            _record.save(self.directory, made_with, progress, run.arrays())

    def _resume(self, run):
        """Takes a training from the disk; the number of its epochs."""
        if self.directory is None:
            return 0
        found = _record.load(self.directory, self._made_with(), run.arrays())
        if found is None:
            return 0
        progress, arrays = found
        epoch = progress.pop("epoch")
        run.restore(progress, arrays)
        self.history = run.history
        return epoch

    def _finish(self, run):
        self._training.steps.write(run.state)
        for tuned, position in zip(
            self._training.tuned, run.positions, strict=True
        ):
            parameter = tuned.parameter
            # Those functions are made again, below.
            parameter.is_compiled_in = False
            parameter.assign(parameter.number_at(float(position)))
        self._run = run
        # On JAX the compiled functions hold the values of before.
        self.model.train_function = self.model.test_function = None
        self.model.predict_function = None
