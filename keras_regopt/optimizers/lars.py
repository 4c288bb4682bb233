from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers._base import Optimizer
from keras_regopt.optimizers._groups import exclusion, exclusions
from keras_regopt.optimizers._norms import norm
from keras_regopt.optimizers._numerics import wide_dtype
from keras_regopt.optimizers._trust_ratio import trust_ratio


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

    Raises:
        ValueError: If an argument is out of its range.

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

    def __init__(
        self,
        learning_rate=1.0,
        momentum=0.9,
        trust_coefficient=0.001,
        epsilon=0.0,
        nesterov=False,
        exclude=None,
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
        if self.built:
            return
        super().build(variables)
        # Which variables have neither ratio nor decay.
        self._plain = exclusions(self, self._excluded, variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")

    def decay_step(self, variable, learning_rate):
        # The decay is part of the step and of its ratio.
        return

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        # Squares overflow and ratios vanish in half precision.
        dtype = wide_dtype(variable.dtype)
        gradient = ops.cast(gradient, dtype)
        rate = ops.cast(learning_rate, dtype)
        if not self._plain[index]:
            decay = self.decay_of(variable)
            weight_norm, length = norm(variable), norm(gradient)
            ratio = trust_ratio(
                weight_norm * self.trust_coefficient,
                length + weight_norm * decay + self.epsilon,
            )
            rate = rate * ops.cast(ratio, dtype)
            if decay:
                gradient = gradient + ops.cast(variable, dtype) * decay

        step = gradient * rate
        momentum = ops.cast(self.momentums[index], dtype)
        momentum = momentum * self.momentum + step
        self.assign(self.momentums[index], momentum)
        if self.nesterov:
            momentum = momentum * self.momentum + step
        self.assign_sub(variable, momentum)
