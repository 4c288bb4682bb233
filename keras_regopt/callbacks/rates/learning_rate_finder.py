import math
import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import count_of_calls, replace_rate
from keras_regopt._registry import register
from keras_regopt._train_step import sync
from keras_regopt._validate import fail, in_range, integer, one_of
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.backup._model_state import build_in_fit
from keras_regopt.callbacks.rates._rates import next_rate, rate_holders
from keras_regopt.callbacks.rates._snapshot import Snapshot
from keras_regopt.callbacks.rates.range_test import METHODS, RangeTest, smoothed
from keras_regopt.schedules.exponential_decay import ExponentialDecay
from keras_regopt.schedules.join import Join
from keras_regopt.schedules.piecewise_interpolation import (
    PiecewiseInterpolation,
)


@register
class LearningRateFinder(Callback):
    """Tries rising learning rates on a model, and puts the model back.

    The range test: over `steps` batches the rate grows from `low` to `high`,
    while the loss of each batch is noted. Somewhere the loss begins to fall,
    and somewhere it flies off; a good rate lies between. The test ends early
    when the smoothed loss, after the first tenth of the steps, exceeds
    `divergence` times its lowest value, or when a loss is no number.

    Afterwards the training ends, and weights, normalization statistics, seed
    generators, the optimizer's state and count of steps, learning rate and
    metrics are bit for bit what they were. All optimizers and wrappers are
    tested; all members of a `MultiOptimizer` get the same rate. Each batch's
    own loss is noted, not the running mean of Keras' logs: all metrics are
    reset before each batch.

    `find_learning_rate` does the same in one call, with as many epochs as the
    test needs, and puts the model back after an error, too. Where `fit` with
    this callback ends by an error, call `put_back()`.

    Args:
        low: The first rate, a number > 0. Defaults to `1e-7`.
        high: The last rate, a number > `low`. Defaults to `10.0`.
        steps: Number of batches, an integer >= 2. Defaults to `100`.
        growth: `"exponential"`, by the same factor in each step, or
            `"linear"`. Defaults to `"exponential"`.
        smoothing: Decay of the moving average of the losses, in [0, 1).
            Defaults to `0.98`.
        divergence: How many times the lowest smoothed loss ends the test, a
            number > 1, or `None` for never. Defaults to `4.0`.
        method: How `suggestion` is found: `"valley"`, `"steepest"` or
            `"minimum/10"`; see `RangeTest.suggest`. Defaults to `"valley"`.

    Attributes:
        rates: The rates so far, a list of floats.
        losses: The losses of the batches, a list of floats.
        result: Both as a `RangeTest`, with `suggestion` and `plot()`.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the model
            is not built, makes several steps in one execution, or logs no
            loss.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> finder = LearningRateFinder(steps=20)
        >>> history = model.fit(
        ...     x, x[:, :1], batch_size=4, epochs=20, verbose=0,
        ...     callbacks=[finder],
        ... )
        >>> len(finder.rates), int(model.optimizer.iterations)
        (20, 0)

    References:
        Smith 2017, Cyclical learning rates for training neural networks,
        section 3.3 (arXiv 1506.01186).
    """

    state_attributes = ("rates", "losses")

    def __init__(
        self,
        low: float = 1e-7,
        high: float = 10.0,
        steps: int = 100,
        growth: str = "exponential",
        smoothing: float = 0.98,
        divergence: float | None = 4.0,
        method: str = "valley",
    ):
        super().__init__()
        self.low = in_range(self, "low", low, above=0)
        self.high = in_range(self, "high", high, above=self.low)
        self.steps = integer(self, "steps", steps, low=2)
        self.growth = one_of(self, "growth", growth, ("exponential", "linear"))
        self.smoothing = in_range(self, "smoothing", smoothing, low=0, below=1)
        self.divergence = in_range(
            self, "divergence", divergence, above=1, optional=True
        )
        self.method = one_of(self, "method", method, METHODS)
        self._snapshot = None
        self.reset()

    def reset(self):
        self.rates = []
        self.losses = []

    @property
    def result(self):
        """The test so far, a `RangeTest`."""
        return RangeTest(
            self.rates, self.losses, self.steps, self.smoothing, self.method
        )

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        # What a test that ended by an error has left.
        self.put_back()
        build_in_fit(self, self.model)
        self._check_model()
        self._snapshot = Snapshot(self.model)
        self._ended = False
        for _, holder in rate_holders(self.model.optimizer):
            replace_rate(holder, self._schedule(holder))
        self.model.make_train_function(force=True)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()
        _, holder = rate_holders(self.model.optimizer)[0]
        self._rate = next_rate(holder)

    def on_train_batch_end(self, batch, logs=None):
        sync(self.model)
        if "loss" not in (logs or {}):
            fail(
                self,
                "model",
                "one that logs its loss as 'loss'",
                type(self.model).__name__,
                f"It logs {', '.join(sorted(logs or {})) or 'nothing'}.",
            )
        self.rates.append(self._rate)
        self.losses.append(float(logs["loss"]))
        self._ended = len(self.losses) >= self.steps or self._diverged()
        if self._ended:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        short = self._snapshot is not None and not self._ended
        self.put_back()
        if short:
            warnings.warn(
                f"The range test of {type(self).__name__} ended after "
                f"{len(self.losses)} of {self.steps} steps, with the data. "
                "Train for more epochs, or use `find_learning_rate`.",
                stacklevel=2,
            )

    def put_back(self):
        """Makes the model as it was before the test; `fit` ends with it."""
        if self._snapshot is not None:
            self._snapshot.restore()
            self._snapshot = None

    def _check_model(self):
        if not self.model.built:
            fail(
                self,
                "model",
                "built, so that it can be put back",
                self.model.name,
                "Call `model.build(input_shape)`, or the model on a batch.",
            )
        if self.model.steps_per_execution != 1:
            fail(
                self,
                "steps_per_execution",
                "1 for a range test, which looks at every step",
                self.model.steps_per_execution,
            )

    def _schedule(self, holder):
        # A restored test goes on where it was.
        made = int(ops.convert_to_numpy(count_of_calls(holder))) - len(
            self.rates
        )
        last = self.steps - 1
        if self.growth == "linear":
            rates = PiecewiseInterpolation([0, last], [self.low, self.high])
        else:
            rates = ExponentialDecay(self.low, last, self.high / self.low)
        return Join([self.low, rates], [made]) if made > 0 else rates

    def _diverged(self):
        if not math.isfinite(self.losses[-1]):
            return True
        # Of the first losses, the average is as rough as they are.
        first = self.steps // 10
        if self.divergence is None or len(self.losses) <= first:
            return False
        losses = smoothed(np.array(self.losses), self.smoothing)[first:]
        best = losses.min()
        # For losses below zero, too.
        return losses[-1] > best + (self.divergence - 1) * abs(best)


def find_learning_rate(
    model: keras.Model,
    x: Any = None,
    y: Any = None,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    growth: str = "exponential",
    smoothing: float = 0.98,
    divergence: float | None = 4.0,
    method: str = "valley",
    **fit_arguments,
) -> RangeTest:
    """Finds a learning rate for a compiled model by a range test.

    Trains the model for up to `steps` batches while the rate grows, and leaves
    it and its optimizer bit for bit as they were, after an error too. See
    `LearningRateFinder` for how.

    Args:
        model: A compiled model, trained or not. One that is not built yet
            is built from the first batch.
        x: The inputs, in any form that `fit` takes.
        y: The targets, as in `fit`. Defaults to `None`.
        low: The first rate, a number > 0. Defaults to `1e-7`.
        high: The last rate, a number > `low`. Defaults to `10.0`.
        steps: Number of batches, at least 2; where the data are short, they
            are gone through several times. Defaults to `100`.
        growth: `"exponential"` or `"linear"`. Defaults to `"exponential"`.
        smoothing: Decay of the moving average of the losses, in [0, 1).
            Defaults to `0.98`.
        divergence: How many times the lowest smoothed loss ends the test, a
            number > 1, or `None` for never. Defaults to `4.0`.
        method: `"valley"`, `"steepest"` or `"minimum/10"`; see
            `RangeTest.suggest`. Defaults to `"valley"`.
        **fit_arguments: Further arguments of `fit`, such as `batch_size`,
            `sample_weight` or `steps_per_epoch`.

    Returns:
        A `RangeTest`, with `rates`, `losses`, `suggestion` and `plot()`.

    Raises:
        ValueError: If an argument is out of its range, or the model is not
            compiled or not built.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> test = find_learning_rate(model, x, x[:, :1], steps=60)
        >>> 1e-4 < test.suggestion < 1
        True
    """
    finder = LearningRateFinder(
        low, high, steps, growth, smoothing, divergence, method
    )
    if getattr(model, "optimizer", None) is None:
        fail(find_learning_rate, "model", "compiled", model)
    for name in ("epochs", "initial_epoch", "validation_data"):
        if name in fit_arguments:
            fail(
                find_learning_rate,
                name,
                "left out, since the test goes by steps",
                fit_arguments[name],
            )
    history = vars(model).get("history")
    callbacks = [*(fit_arguments.pop("callbacks", None) or []), finder]
    try:
        # An epoch has one step at least.
        model.fit(
            x,
            y,
            **{"verbose": 0, **fit_arguments},
            epochs=steps,
            callbacks=callbacks,
        )
    finally:
        finder.put_back()
        _set_history(model, history)
    return finder.result


def _set_history(model, history):
    if history is not None:
        model.history = history
    elif "history" in vars(model):
        del model.history
