import numpy as np
from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.wrappers._wrapper import (
    OptimizerWrapper,
    takes_steps,
)


@register
class ExponentialMovingAverage(OptimizerWrapper):
    """Averages the weights that another optimizer goes through.

    After each step of the inner optimizer, the average moves a little towards
    the weights, and at the end of `fit` the weights become the average. That
    often generalizes better than the last weights, as if the learning rate had
    been lowered. It does not change the training itself. The average follows

        average = average + (1 - d) / m * (weight - average),
        m = d * m + (1 - d),

    where `d` is the momentum, for each weight in the steps that it makes. With
    bias correction `m` starts at 0, and the average is that of the weights
    after steps alone; else it starts at 1, and the average at the weights
    before the first step.

    Validation and callbacks during `fit` see the weights, not the average;
    `average_values` gives the average. Weights that no gradient moves, such as
    the statistics of batch normalization, are unknown to an optimizer and are
    not averaged: compute them again with some batches of training data, or
    average with a callback. A weight that never made a step is not averaged.
    After the weights were replaced from outside, as by `model.set_weights`,
    `restart()` begins the average again.

    Args:
        inner: Any Keras optimizer, or the name of one; not a
            `LossScaleOptimizer`, which belongs on the outside. Where it makes
            steps in some calls alone, only those count.
        momentum: Decay of the average, in [0, 1). It reaches back about
            `1 / (1 - momentum)` steps. Defaults to `0.999`.
        bias_correction: Whether to leave the weights before the first step out
            of the average. Defaults to `True`.
        warm_up: Whether to begin with a smaller momentum, which forgets the
            first steps sooner: `min(momentum, (1 + t) / (10 + t))` after `t`
            steps. Defaults to `False`.
        overwrite: Whether the weights become the average at the end of each
            `fit`. Defaults to `True`.
        name: Optional name.

    Raises:
        ValueError: If `inner` is not an optimizer, is a `LossScaleOptimizer` or
            has another `ExponentialMovingAverage` in it.

    Examples:
        >>> optimizer = ExponentialMovingAverage(
        ...     keras.optimizers.SGD(1.0), momentum=0.5
        ... )
        >>> weight = keras.Variable([3.0])
        >>> for _ in range(2):
        ...     optimizer.apply([keras.ops.convert_to_tensor([1.0])], [weight])
        >>> round(float(optimizer.average_values()[0][0]), 4)
        1.3333

    References:
        Polyak and Juditsky 1992, Acceleration of stochastic approximation by
        averaging; `ema` in optax; `tf.train.ExponentialMovingAverage` for the
        warm-up.
    """

    moves_weights = False

    def __init__(
        self,
        inner: InnerOptimizer,
        momentum: float = 0.999,
        bias_correction: bool = True,
        warm_up: bool = False,
        overwrite: bool = True,
        name: str | None = None,
    ):
        super().__init__(inner, name=name)
        self.momentum = in_range(self, "momentum", momentum, low=0, below=1)
        self.bias_correction = boolean(self, "bias_correction", bias_correction)
        self.warm_up = boolean(self, "warm_up", warm_up)
        self.overwrite = boolean(self, "overwrite", overwrite)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.averages = [
            self.add_precise_variable(v, "average") if takes_steps(v) else None
            for v in variables
        ]
        # One number for each variable. A mass of zero says that its average
        # has not begun.
        self.averaged_steps, self.mass = (
            self.add_variable(
                shape=(len(variables),),
                dtype=dtype,
                aggregation="only_first_replica",
                name=name,
            )
            for name, dtype in (
                ("averaged_steps", "int32"),
                ("mass", "float32"),
            )
        )

    def before_step(self, variables):
        if not self.bias_correction:
            # Not at `build`, when the weights may have no values yet.
            begin = ops.logical_and(self.among(variables), self.mass <= 0)
            self.run_if(
                ops.any(begin),
                lambda: self._start(variables, begin),
                assigned=[self.averages, [self.mass]],
            )

    def after_step(self, variables, stepped):
        self.run_if(
            stepped,
            lambda: self._average(variables),
            assigned=[self.averages, [self.averaged_steps, self.mass]],
        )

    def average_values(self):
        """The averages, in the order of the variables it was built with.

        Returns:
            List of float32 arrays (float64 for float64). Before its first step
            that of a weight is the weight itself, as is that of one which takes
            no steps.
        """
        steps = ops.convert_to_numpy(self.averaged_steps)
        return [
            ops.convert_to_numpy(average if count else variable)
            for variable, average, count in zip(
                self._trainable_variables, self.averages, steps, strict=True
            )
        ]

    def finalize(self, var_list):
        super().finalize(var_list)
        if not self.overwrite or not self.built:
            return
        averages = {
            self._var_key(variable): average
            for variable, average, steps in zip(
                self._trainable_variables,
                self.average_values(),
                ops.convert_to_numpy(self.averaged_steps),
                strict=True,
            )
            if steps
        }
        for variable in var_list:
            if self._var_key(variable) in averages:
                variable.assign(averages[self._var_key(variable)])

    def restart(self):
        super().restart()
        if self.built:
            for variable in (self.averaged_steps, self.mass):
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def upgraded_state(self, values):
        # Files from before each variable had a number of its own.
        if len(values) == len(self._variables) and np.shape(values[-1]) == ():
            *others, steps, mass = map(np.asarray, values)
            began = self.bias_correction or others[0] > 0
            numbers = (steps, mass if began else np.zeros_like(mass))
            values = [
                *others,
                *(np.broadcast_to(n, self.mass.shape) for n in numbers),
            ]
        return values

    def _start(self, variables, begin):
        self._move(variables, ops.cast(begin, "float32"))
        self.mass.assign(
            ops.where(begin, 1.0, ops.convert_to_tensor(self.mass))
        )

    def _average(self, variables):
        present = self.among(variables)
        rest = 1 - self._momentum_now()
        mass = self.mass + rest * (1 - self.mass)
        self._move(variables, rest / mass)
        self.mass.assign(
            ops.where(present, mass, ops.convert_to_tensor(self.mass))
        )
        self.averaged_steps.assign_add(ops.cast(present, "int32"))

    def _momentum_now(self):
        if not self.warm_up:
            return self.momentum
        steps = ops.cast(self.averaged_steps, "float32")
        return ops.minimum(self.momentum, (1 + steps) / (10 + steps))

    def _move(self, variables, weights):
        """Moves each average to its variable, by the weight at its index."""

        def update(variable):
            index = self._get_variable_index(variable)
            average = self.averages[index]
            value = ops.cast(variable, average.dtype)
            weight = ops.cast(weights[index], average.dtype)
            self.assign_add(average, (value - average) * weight)

        self.update_each(update, variables)
