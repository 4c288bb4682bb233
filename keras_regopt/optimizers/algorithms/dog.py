import numpy as np
from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._in_place import after_reads, after_totals


@register
class DoG(Optimizer):
    """SGD that estimates its learning rate: distance over gradients.

    The rate of a step is the distance that the weights have come from their
    start, over the root of the sum of all squared gradients. It begins tiny and
    grows by itself. Use it instead of a tuned SGD, together with an average of
    the weights over the steps, which the authors find needed for the best
    results. With the weights `w`, the first weights `w_0` and the
    gradient `g`,

        r = max(r, |w - w_0|)
        G = G + |g| ** 2
        w = w - learning_rate * r / sqrt(G + epsilon) * g,

    where `r` begins at `initial_distance * (1 + |w_0|)`.

    The first steps are too small for variables in half precision, whose
    rounding undoes them: keep the variables in float32, as Keras' mixed
    precision does, or choose a larger `initial_distance`.

    Args:
        learning_rate: Factor on the rate that DoG finds: a number >= 0, a
            `LearningRateSchedule`, or a function without arguments. Defaults
            to `1.0`, which should stay.
        initial_distance: Number > 0, the first distance relative to the
            weights. `1e-4` is advised for models with batch normalization.
            Defaults to `1e-6`.
        epsilon: Number > 0 that is added to the sum of the squared gradients.
            Defaults to `1e-8`.
        layerwise: Whether each variable has a distance and a sum of its own
            (L-DoG), which often trains transformers better. Defaults to
            `False`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `gradient_accumulation_steps`. `weight_decay` is coupled: times the
            weights, it is added to the gradient.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(DoG(layerwise=True), "mse")
        >>> float(model.optimizer.learning_rate)
        1.0

    References:
        Ivgi, Hinder and Carmon 2023, DoG is SGD's best friend: a
        parameter-free dynamic step size schedule (arXiv 2302.12022).
    """

    decays_itself = True

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        initial_distance: float = 1e-6,
        epsilon: float = 1e-8,
        layerwise: bool = False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.initial_distance = in_range(
            self, "initial_distance", initial_distance, above=0
        )
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.layerwise = boolean(self, "layerwise", layerwise)

    def slot_names(self):
        return [("initial",)]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # One number for each variable.
        self.gradient_sums, self.distances = (
            self.add_variable(
                shape=(len(variables),),
                dtype="float32",
                aggregation="only_first_replica",
                name=name,
            )
            for name in ("gradient_sum", "distance")
        )

    def step_values(self, gradients, variables, learning_rate):
        """For each variable, whether it has moved, and its rate."""
        squares, moves = self.totals(_squares, gradients, variables)
        moved = ops.convert_to_tensor(self.gradient_sums) > 0
        self.gradient_sums.assign_add(squares)
        distances = ops.maximum(
            self.distances,
            ops.where(
                self._total(ops.cast(moved, "float32")) > 0,
                ops.sqrt(self._total(ops.where(moved, moves, 0.0))),
                ops.sqrt(self._total(ops.where(moved, 0.0, moves)))
                * self.initial_distance
                + self.initial_distance,
            ),
        )
        self.distances.assign(distances)
        sums = self._total(ops.convert_to_tensor(self.gradient_sums))
        moved = after_totals(moved, moves)
        return moved, distances / ops.sqrt(sums + self.epsilon)

    def restart(self):
        if self.built:
            # A sum of zero says that a variable has not moved.
            for variable in (self.gradient_sums, self.distances):
                variable.assign(np.zeros(variable.shape, "float32"))

    def prepared(self, variable, gradient, step):
        # The decay is part of the gradient.
        if step.decay:
            gradient = gradient + variable * step.decay
        return variable, gradient

    def formula(self, variable, gradient, slots, step):
        moved, rates = step.values
        # Not at `build`, when TensorFlow may still be tracing and the weights
        # have no values yet.
        initial = ops.where(step.own(moved), slots[0], variable)
        rate = after_reads(step.rate * step.own(rates), initial)
        move = gradient * rate
        return variable - move, [initial]

    def _total(self, x):
        """The sum over all variables, or each by itself if `layerwise`."""
        return x if self.layerwise else ops.sum(x) + ops.zeros_like(x)


def _squares(variable, gradient, slots, step):
    """Squares of the gradient and of the distance from the start.

    Before the first step, the start counts as zero.
    """
    return [ops.square(gradient), ops.square(variable - slots[0])]
