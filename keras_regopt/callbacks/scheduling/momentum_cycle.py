import functools

import keras

from keras_regopt import _train_step
from keras_regopt._keras import held_rate
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, instance_of
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks._claims import claim
from keras_regopt.callbacks.rates._rates import rate_holders
from keras_regopt.schedules.scale import Scale


@register
class MomentumCycle(Callback):
    """Lowers the momentum while the learning rate is high, step by step.

    The second half of one-cycle training: with a high rate a high momentum
    would overshoot, with a low rate it speeds up. In step `t` the momentum is
    `high - (high - low) * c(t)`, where `c` goes from 0 to 1 and back with the
    cycle of the learning rate. With `OneCycle` and `Cyclical` the values are
    those of torch's `OneCycleLR` and `CyclicLR`.

    What is cycled is `beta_1` of an optimizer that has one (`Adam` and its
    kin), else `momentum` (`SGD`, `RMSprop`): in Keras' optimizers, in this
    package's, inside wrappers, and in all members of a `MultiOptimizer`. The
    value is computed inside the compiled step from the optimizer's own count
    of steps, so nothing is traced again from step to step, and a resumed
    training goes on in the right place. Outside of a step the attribute holds
    its own value: that is what a saved model contains, at any time.

    Args:
        low: The momentum where the rate is highest, in (0, 1). Defaults to
            `0.85`.
        high: The momentum where the rate is lowest, from `low` to below 1.
            Defaults to `0.95`.
        cycle: Optional `LearningRateSchedule` with values from 0 to 1, the `c`
            above. By default, the cycle of the optimizer's `OneCycle` or
            `Cyclical`, also inside of a `Scale`.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the
            learning rate has no cycle and none is given, or if the optimizer
            has no momentum, or uses it between the steps too, as the
            schedule-free ones and `MSAM` do.

    Examples:
        >>> from keras_regopt.schedules import OneCycle
        >>> rate = OneCycle(0.1, total_steps=20)
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(rate, momentum=0.9), "mse")
        >>> x, y = np.ones((8, 2)), np.ones((8, 1))
        >>> history = model.fit(
        ...     x, y, batch_size=4, epochs=10, verbose=0,
        ...     callbacks=[MomentumCycle()],
        ... )
        >>> model.optimizer.momentum
        0.9

    References:
        Smith 2018, A disciplined approach to neural network hyper-parameters,
        part 1, section 4.3 (arXiv 1803.09820).
    """

    def __init__(
        self,
        low: float = 0.85,
        high: float = 0.95,
        cycle: keras.optimizers.schedules.LearningRateSchedule | None = None,
    ):
        super().__init__()
        self.low = in_range(self, "low", low, above=0, below=1)
        self.high = in_range(self, "high", high, low=self.low, below=1)
        schedule = keras.optimizers.schedules.LearningRateSchedule
        self.cycle = instance_of(
            self,
            "cycle",
            cycle,
            (schedule, type(None)),
            "a LearningRateSchedule, or None",
        )
        self._optimizer = self._cycled_model = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        claim(self, "the momentum")
        # What a training that ended by an error has left.
        self._detach()
        self._attach()

    def on_train_batch_begin(self, batch, logs=None):
        # A callback may have compiled the model again. `self.model` would bring
        # JAX's state back into the variables in each step.
        if self._model.optimizer is not self._optimizer:
            self._detach()
            self._attach()

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._detach()
        self.model.make_train_function(force=True)

    def _attach(self):
        model, values = self.model, []
        for name, holder in rate_holders(model.optimizer):
            attribute = self._attribute(name, holder)
            cycle = self.cycle or self._cycle_of_the_rate(name, holder)
            value = functools.partial(self._value, cycle)
            values.append((holder, attribute, value))
        _train_step.register(model, _train_step.StepAttributes(values))
        model.make_train_function(force=True)
        self._optimizer, self._cycled_model = model.optimizer, model

    def _detach(self):
        model = self._cycled_model
        if model is not None:
            _train_step.unregister(model, _train_step.ATTRIBUTES)
        self._optimizer = self._cycled_model = None

    def _value(self, cycle, step):
        return self.high - (self.high - self.low) * cycle(step)

    def _attribute(self, name, holder):
        if hasattr(holder, "switch_to_training"):
            fail(
                type(self).__name__,
                "optimizer",
                "one that does not use its momentum between the steps too",
                _described(name, holder),
            )
        attribute = "beta_1" if hasattr(holder, "beta_1") else "momentum"
        momentum = getattr(holder, attribute, None)
        if not isinstance(momentum, (int, float)) or momentum <= 0:
            fail(
                type(self).__name__,
                "optimizer",
                "one with a `momentum` or a `beta_1` > 0",
                _described(name, holder),
                "Its value does not matter, but without one an optimizer "
                "keeps no momentum that could be cycled.",
            )
        return attribute

    def _cycle_of_the_rate(self, name, holder):
        schedule = held_rate(holder)
        while isinstance(schedule, Scale):
            schedule = schedule.schedule
        if not hasattr(schedule, "unit_cycle"):
            fail(
                self,
                "cycle",
                "given where the learning rate is no OneCycle or Cyclical",
                None,
                f"The rate of {_described(name, holder)} is "
                f"{type(schedule).__name__}. Pass a schedule from 0 (momentum "
                "high) to 1 (momentum low) and back.",
            )
        return schedule.unit_cycle()


def _described(name, holder):
    kind = type(holder).__name__
    return f"{kind} '{name}'" if name else kind
