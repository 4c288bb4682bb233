import dataclasses
import functools

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._trust_ratio import trust_ratio
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._groups import exclusion, exclusions
from keras_regopt.optimizers.engine._norms import (
    norms_in_blocks,
    pays_in_blocks,
)
from keras_regopt.optimizers.engine._numerics import (
    adam_corrections,
    lerp,
)


@register
class LAMB(Optimizer):
    """Adam whose step is fitted to the norm of each layer's weights.

    Use it to train transformers with very large batches. With Adam's moments
    `m'` and `v'`, corrected for their bias, and a variable `w`,

        u = m' / (sqrt(v') + epsilon) + weight_decay * w
        w = w - learning_rate * phi(|w|) / |u| * u,

    where `phi(x) = min(max(x, min_norm), max_norm)`. Where `phi(|w|)` or `|u|`
    is zero, their ratio is 1.

    This is the paper's algorithm. Keras' own `Lamb` differs: its weight decay
    acts apart from the step, without the ratio, its norms and corrections are
    computed in the dtype of the variable, and it has neither `phi` nor
    exclusions. In float32, without weight decay and with the same `epsilon`,
    both make the same steps.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in (0, 1).
            Defaults to `0.999`.
        epsilon: Number > 0 that is added to the root of `v'`. Defaults to
            `1e-6`.
        min_norm: Number >= 0, the lower bound of `phi`. Defaults to `0.0`.
        max_norm: Number > 0, the upper bound of `phi`. Defaults to `None`: no
            bound.
        exclude: Optional regular expression on the end of a variable's path,
            as in `ParameterGroup`. What matches has the ratio 1 and no weight
            decay. `"bias|gamma|beta"` is the usual choice. Defaults to `None`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `gradient_accumulation_steps`. `weight_decay` enters the ratio, as
            in the formula above.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> optimizer = LAMB(0.01, weight_decay=0.01, exclude="bias")
        >>> model.compile(optimizer, "mse")
        >>> model.optimizer.name
        'lamb'

    References:
        You et al. 2020, Large batch optimization for deep learning: training
        BERT in 76 minutes, algorithm 2 (arXiv 1904.00962).
    """

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        min_norm: float = 0.0,
        max_norm: float | None = None,
        exclude: str | None = None,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.min_norm = in_range(self, "min_norm", min_norm, low=0)
        self.max_norm = in_range(
            self,
            "max_norm",
            max_norm,
            above=0,
            low=self.min_norm,
            optional=True,
        )
        self.exclude = exclude
        self._excluded = exclusion(self, exclude)

    def build(self, variables):
        if not self.built:
            # Which variables have neither ratio nor decay.
            self._is_excluded = exclusions(self, self._excluded, variables)
        super().build(variables)

    def slot_names(self):
        return [("momentum", "velocity")]

    def kind_of(self, index, variable):
        return (*super().kind_of(index, variable), self._is_excluded[index])

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return adam_corrections(self.beta_1, self.beta_2, self.epsilon, step)

    def norms(self, index, variable, gradient, norm):
        if self._is_excluded[index] or pays_in_blocks(variable):
            return ()
        return (norm(variable),)

    def prepared(self, variable, gradient, step):
        # The decay is part of the step and of its ratio.
        return variable, gradient

    def direction(self, variable, gradient, slots, step):
        momentum, velocity = slots
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        velocity = lerp(velocity, ops.square(gradient), 1 - self.beta_2)
        update = self._of_moments(step, variable, momentum, velocity)
        return update, [momentum, velocity]

    def _of_moments(self, step, variable, momentum, velocity):
        scale, epsilon = step.values
        update = momentum * scale / (ops.sqrt(velocity) + epsilon)
        if step.decay and not self._is_excluded[step.index]:
            update = update + variable * step.decay
        return update

    def rate_along(self, update, step):
        if self._is_excluded[step.index]:
            return step.rate
        (length,) = step.norms
        ratio = trust_ratio(self._phi(length), step.norm(update))
        return step.rate * ops.cast(ratio, update.dtype)

    def formula(self, variable, gradient, slots, step):
        update, slots = self.direction(variable, gradient, slots, step)
        if pays_in_blocks(variable) and not self._is_excluded[step.index]:
            own, of_update = norms_in_blocks(
                functools.partial(self._of_moments, step), variable, *slots
            )
            step = dataclasses.replace(
                step, norms=(own,), norm=lambda update: of_update
            )
        return variable - update * self.rate_along(update, step), slots

    def _phi(self, norm):
        if self.min_norm:
            norm = ops.maximum(norm, self.min_norm)
        return (
            norm if self.max_norm is None else ops.minimum(norm, self.max_norm)
        )
