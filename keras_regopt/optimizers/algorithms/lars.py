from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.algorithms._trust_ratio import trust_ratio
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._groups import exclusion, exclusions


@register
class LARS(Optimizer):
    """SGD with momentum whose rate is fitted to each layer.

    The step of a variable is proportional to the norm of the variable, not to
    that of its gradient, so no layer is torn away by large steps. Use it to
    train convolutional networks with batches of thousands. With the gradient
    `g` of a variable `w`,

        ratio = trust_coefficient * |w| / (|g| + weight_decay * |w| + epsilon)
        m = momentum * m + learning_rate * ratio * (g + weight_decay * w)
        w = w - m.

    Where `|w|` or the divisor is zero, the ratio is 1. This is the paper's
    ratio; optax and others divide by `|g + weight_decay * w|` instead, which
    is the same without weight decay.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Large, since `trust_coefficient` is small: the
            product of both is the relative length of a step. Defaults to `1.0`.
        momentum: Decay of the momentum, in [0, 1). Defaults to `0.9`.
        trust_coefficient: Factor > 0 on the ratio. Defaults to `0.001`.
        epsilon: Number >= 0 that is added to the divisor. Defaults to `0.0`.
        nesterov: Whether to use Nesterov's momentum. Defaults to `False`.
        exclude: Optional regular expression on the end of a variable's path,
            as in `ParameterGroup`. What matches has the ratio 1 and no weight
            decay. `"bias|gamma|beta"` is the usual choice. Defaults to `None`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `gradient_accumulation_steps`. `weight_decay` enters the ratio and
            the momentum, as in the formula above.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> optimizer = LARS(4.0, weight_decay=1e-4, exclude="bias")
        >>> model.compile(optimizer, "mse")
        >>> model.optimizer.name
        'lars'

    References:
        You et al. 2017, Large batch training of convolutional networks,
        algorithm 1 (arXiv 1708.03888).
    """

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        momentum: float = 0.9,
        trust_coefficient: float = 0.001,
        epsilon: float = 0.0,
        nesterov: bool = False,
        exclude: str | None = None,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.momentum = in_range(self, "momentum", momentum, low=0, below=1)
        self.trust_coefficient = in_range(
            self, "trust_coefficient", trust_coefficient, above=0
        )
        self.epsilon = in_range(self, "epsilon", epsilon, low=0)
        self.nesterov = boolean(self, "nesterov", nesterov)
        self.exclude = exclude
        self._excluded = exclusion(self, exclude)

    def build(self, variables):
        if not self.built:
            # Which variables have neither ratio nor decay.
            self._is_excluded = exclusions(self, self._excluded, variables)
        super().build(variables)

    def slot_names(self):
        return [("momentum",)]

    def kind_of(self, index, variable):
        return (*super().kind_of(index, variable), self._is_excluded[index])

    def norms(self, index, variable, gradient, norm):
        return (
            () if self._is_excluded[index] else (norm(variable), norm(gradient))
        )

    def prepared(self, variable, gradient, step):
        # The decay is part of the step and of its ratio.
        return variable, gradient

    def formula(self, variable, gradient, slots, step):
        rate = step.rate
        if not self._is_excluded[step.index]:
            weight_norm, length = step.norms
            ratio = trust_ratio(
                weight_norm * self.trust_coefficient,
                length + weight_norm * step.decay + self.epsilon,
            )
            rate = rate * ratio
            if step.decay:
                gradient = gradient + variable * step.decay
        move = gradient * rate
        momentum = slots[0] * self.momentum + move
        if self.nesterov:
            return variable - (momentum * self.momentum + move), [momentum]
        return variable - momentum, [momentum]
