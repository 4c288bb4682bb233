import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.optimizers.engine._norms import global_norm
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import assign_each
from keras_regopt.optimizers.wrappers._gradients import (
    loss_scale,
    reduced,
    refuse_accumulation,
    with_gradients,
)
from keras_regopt.optimizers.wrappers._wrapper import OptimizerWrapper


@register
class HypergradientDescent(OptimizerWrapper):
    """Learns the learning rate of another optimizer while it trains.

    The loss after a step is a function of the rate of that step, and its
    derivative costs one dot product. With the gradient `g` and the last step
    `d` that was made at a rate of 1, over all variables together,

        rate = rate - hypergradient_learning_rate * sum(g * d)

    before each step: as long as steps go on in the same direction the rate
    grows, and where they turn back it falls. Use it where you do not know the
    rate, or where it should adapt; results depend less on the first rate than
    without. It keeps one more copy of the weights. The rate may overshoot:
    begin small.

    The rate that was learned is the optimizer's `learning_rate`, so it is
    logged and saved, and callbacks may set it. The gradient counts as it comes,
    before the clipping of the inner optimizer, whose decoupled weight decay
    counts as part of the step.

    Args:
        inner: Any Keras optimizer with a number as learning rate, or the name
            of one, such as `SGD` with or without momentum, or `Adam`. It must
            not accumulate gradients by itself; put `GradientAccumulation` on
            the outside instead.
        hypergradient_learning_rate: The rate at which the rate is learned, a
            number >= 0. The best one depends on the size of the gradients; the
            authors use up to `0.001` around `SGD` and `1e-7` around `Adam`, and
            with `multiplicative` about `0.02`. Defaults to `1e-6`.
        multiplicative: Whether the rate is multiplied by
            `1 - hypergradient_learning_rate * cosine` instead, with the cosine
            of the angle between `g` and `d`. It does not depend on the size of
            the gradients, and the rate stays positive. Defaults to `False`.
        name: Optional name.

    Raises:
        ValueError: If `inner` has a schedule or no single learning rate, or is
            a `HypergradientDescent` already.

    Examples:
        >>> inner = keras.optimizers.SGD(0.1)
        >>> optimizer = HypergradientDescent(inner, 0.01)
        >>> weight = keras.Variable(1.0)
        >>> for _ in range(2):
        ...     gradient = keras.ops.convert_to_tensor(2.0)
        ...     optimizer.apply([gradient], [weight])
        >>> round(float(optimizer.learning_rate), 4)
        0.14

    References:
        Baydin et al. 2018, Online learning rate adaptation with hypergradient
        descent (arXiv 1703.04782). The authors' code for `Adam` changes the
        rate from variable to variable of one step; this follows the paper.
    """

    def __init__(
        self,
        inner: InnerOptimizer,
        hypergradient_learning_rate: float = 1e-6,
        multiplicative: bool = False,
        name: str | None = None,
    ):
        super().__init__(inner, name=name)
        self.hypergradient_learning_rate = in_range(
            self,
            "hypergradient_learning_rate",
            hypergradient_learning_rate,
            low=0,
        )
        self.multiplicative = boolean(self, "multiplicative", multiplicative)
        refuse_accumulation(self, self.inner)
        if not isinstance(self.inner.learning_rate, keras.Variable):
            fail(self, "inner", "an optimizer with a number as rate", inner)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.directions = self.add_optimizer_variables(variables, "direction")

    def step(self, gradients, variables):
        indices = with_gradients(gradients, variables)
        active = [variables[i] for i in indices]
        if indices:
            self._learn([gradients[i] for i in indices], active)
        # Copies, since some backends change variables in place.
        before = [copied(v) for v in active]
        self.inner.apply(gradients, variables)
        self._keep_directions(before, active)

    def _learn(self, gradients, variables):
        """Moves the learning rate by the derivative of the loss."""
        gradients = reduced(self, gradients, variables)
        directions = [
            ops.convert_to_tensor(self._direction(v)) for v in variables
        ]
        slope = sum(
            ops.sum(ops.cast(g, "float32") * ops.cast(d, "float32"))
            for g, d in zip(gradients, directions, strict=True)
        )
        rate = ops.convert_to_tensor(self.inner.learning_rate)
        if self.multiplicative:
            norms = global_norm(gradients) * global_norm(directions)
            # No direction before the first step.
            cosine = slope / ops.where(norms > 0, norms, 1.0)
            change = rate * cosine
        else:
            change = slope / loss_scale(self)
        rate = rate - self.hypergradient_learning_rate * change
        self.inner.learning_rate = rate

    def _keep_directions(self, before, variables):
        """Stores what the step would have been at a rate of 1."""
        rate = ops.cast(self.inner.learning_rate, "float32")
        inverse = ops.where(rate == 0, 0.0, 1 / ops.where(rate == 0, 1.0, rate))
        directions = []
        for variable, old in zip(variables, before, strict=True):
            move = ops.cast(ops.convert_to_tensor(variable) - old, "float32")
            directions.append(ops.cast(move * inverse, variable.dtype))
        slots = [self._direction(v) for v in variables]
        assign_each(self, slots, directions)

    def _direction(self, variable):
        return self.directions[self._get_variable_index(variable)]

    @property
    def learning_rate(self):
        return self.inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        if callable(learning_rate) and not ops.is_tensor(learning_rate):
            fail(
                self,
                "learning_rate",
                "a number, for it is learned",
                learning_rate,
            )
        self.inner.learning_rate = learning_rate
