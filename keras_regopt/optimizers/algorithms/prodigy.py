import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    copied,
)


@register
class Prodigy(Optimizer):
    """Adam that estimates its learning rate: distance to the solution.

    The estimate `d` of the distance from the first weights to the solution
    starts tiny and grows until it fits. Use it in place of a tuned Adam; leave
    `learning_rate` at 1, or let a schedule fall from 1 to 0, which helps as it
    helps Adam. The optimizer's variable `d` has the estimate. With the weights
    `w`, the first weights `w_0` and the gradient `g` at step `t`,

        a = learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)
        m = beta_1 m + (1 - beta_1) d g
        v = beta_2 v + (1 - beta_2) (d g) ** 2
        r = beta_3 r + a d ** 2 <g, w_0 - w>
        s = beta_3 s + a d ** 2 g
        w = w - a d (m / (sqrt(v) + d' epsilon) + weight_decay * w)
        d = d' = max(d, d_coef r / |s|_1).

    This is optax' form; the authors' code corrects the bias only if asked to.

    The first steps are too small for variables in half precision, whose
    rounding undoes them: keep the variables in float32, as Keras' mixed
    precision does, or choose a larger `d0`.

    Args:
        learning_rate: Factor on the rate that Prodigy finds: a number >= 0, a
            `LearningRateSchedule`, or a function without arguments. Defaults
            to `1.0`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in (0, 1).
            Defaults to `0.999`.
        beta_3: Decay of the two sums of the estimate, in [0, 1). Defaults to
            `None`: the root of `beta_2`.
        epsilon: Number > 0, relative to the gradients. Defaults to `1e-8`.
        d0: Number > 0 at which `d` starts. Defaults to `1e-6`.
        d_coef: Factor > 0 on the estimate, which is the number to tune where
            one must be tuned. Defaults to `1.0`.
        safeguard_warmup: Whether to leave `learning_rate` and the corrections
            out of `s`, so that a warm-up does not raise the estimate. Defaults
            to `False`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `gradient_accumulation_steps`. `weight_decay` is multiplied by `d`
            too, as in the formula above.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> rate = keras.optimizers.schedules.CosineDecay(1.0, 10_000)
        >>> model.compile(Prodigy(rate, weight_decay=0.01), "mse")
        >>> model.optimizer.name
        'prodigy'

    References:
        Mishchenko and Defazio 2024, Prodigy: an expeditiously adaptive
        parameter-free learner, algorithm 4 (arXiv 2306.06101); optax'
        `contrib.prodigy`.
    """

    decays_itself = True

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        beta_3: float | None = None,
        epsilon: float = 1e-8,
        d0: float = 1e-6,
        d_coef: float = 1.0,
        safeguard_warmup: bool = False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.beta_3 = in_range(
            self, "beta_3", beta_3, low=0, below=1, optional=True
        )
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.d0 = in_range(self, "d0", d0, above=0)
        self.d_coef = in_range(self, "d_coef", d_coef, above=0)
        self.safeguard_warmup = boolean(
            self, "safeguard_warmup", safeguard_warmup
        )

    def slot_names(self):
        # All in units of the current `d`, or its square, which changes no step
        # and keeps half precision in its range.
        return [("momentum", "velocity", "gradient_sum", "initial")]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.d = self._shared("d", self.d0)
        self.previous_d = self._shared("previous_d", self.d0)
        self.numerator = self._shared("numerator")
        # For each variable, whether its initial value is known.
        self.started = self._shared("started", shape=(len(variables),))

    def _shared(self, name, value=0.0, shape=()):
        return self.add_variable(
            shape=shape,
            initializer=keras.initializers.Constant(value),
            dtype="float32",
            aggregation="only_first_replica",
            name=name,
        )

    def step_values(self, gradients, variables, learning_rate):
        """Estimates `d`; what the steps of the variables share."""
        correction = self._correction()
        rate = ops.cast(learning_rate, "float32") * correction
        d = copied(self.d)
        shrinkage = self.previous_d / d
        beta_3 = self.beta_2**0.5 if self.beta_3 is None else self.beta_3
        beta_3 = beta_3 * ops.square(shrinkage)
        values = {
            "rate": d * correction,
            "beta_1": self.beta_1 * shrinkage,
            "beta_2": self.beta_2 * ops.square(shrinkage),
            "beta_3": beta_3,
            "weight": ops.ones_like(d) if self.safeguard_warmup else rate,
            "started": ops.convert_to_tensor(self.started) > 0,
        }
        descents, lengths = self.totals(
            self._terms, gradients, variables, values
        )
        descent, length = ops.sum(descents), ops.sum(lengths)

        numerator = self.numerator * beta_3 + rate * descent
        # With gradients of zero there is nothing to learn.
        known = length > 0
        estimate = numerator / ops.where(known, length, 1.0) * self.d_coef
        next_d = ops.maximum(d, ops.where(known, estimate, 0.0))
        self.numerator.assign(numerator)
        self.previous_d.assign(d)
        self.d.assign(next_d)
        # A frozen variable has no part in the estimate.
        moving = [
            v
            for v in variables
            if self.rate_factors[self._get_variable_index(v)] != 0
        ]
        present = ops.cast(self.among(moving), "float32")
        self.started.assign(ops.maximum(self.started, present))
        return {**values, "epsilon": next_d / d * self.epsilon}

    def restart(self):
        # The estimate `d` stays: it is a length, and not a place.
        if self.built:
            sums = [s for s in self.states("gradient_sum") if s is not None]
            for variable in (self.numerator, self.started, *sums):
                variable.assign(ops.zeros(variable.shape, variable.dtype))

    def formula(self, variable, gradient, slots, step):
        if self.rate_factors[step.index] == 0:
            return variable, slots
        momentum, velocity, gradient_sum, initial = slots
        values = step.values
        # Not at `build`, when TensorFlow may still be tracing and the weights
        # have no values yet.
        initial = ops.where(step.own(values["started"]), initial, variable)
        gradient_sum = self._next_sum(gradient_sum, gradient, values)
        momentum = momentum * values["beta_1"] + gradient * (1 - self.beta_1)
        square = ops.square(gradient)
        velocity = velocity * values["beta_2"] + square * (1 - self.beta_2)
        move = momentum / (ops.sqrt(velocity) + values["epsilon"])
        if step.decay:
            move = move + variable * step.decay
        variable = variable - move * (step.rate * values["rate"])
        return variable, [momentum, velocity, gradient_sum, initial]

    def _terms(self, variable, gradient, slots, step):
        """What adds up to the descent and to the length of the sums."""
        if self.rate_factors[step.index] == 0:
            return [ops.zeros_like(variable)] * 2
        *_, gradient_sum, initial = slots
        started = ops.cast(step.own(step.values["started"]), variable.dtype)
        following = self._next_sum(gradient_sum, gradient, step.values)
        descent = gradient * (initial - variable) * started
        return [descent, ops.abs(following)]

    def _next_sum(self, gradient_sum, gradient, values):
        return gradient_sum * values["beta_3"] + gradient * values["weight"]

    def _correction(self):
        step = ops.cast(self.iterations + 1, "float32")
        root = ops.sqrt(bias_correction(self.beta_2, step))
        return root / bias_correction(self.beta_1, step)
