from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._proximal import ProximalOptimizer


@register
class ProximalSGD(ProximalOptimizer):
    """SGD with exact L1, L2, group lasso and bounds, which give true zeros.

    A penalty in the loss has a gradient that jumps at zero, so that weights
    which should vanish keep dithering around it. Here the gradient is that of
    the loss alone, and the penalty `h` acts afterwards through its proximal
    operator:

        w = prox(w - learning_rate * gradient + momentum * (w - w_before))
        prox(x) = the minimum over w of
                  h(w) + sum((w - x) ** 2) / (2 * learning_rate)
        h(w) = l1 * sum(|w|) + l2 * sum(w ** 2) + group * sum(norm(w_g))

    with `minimum <= w <= maximum`. This is exact for every combination that
    the constructor takes, and converges on the full batch to the optimum of
    loss and penalty for rates below `2 / L` (`2 * (1 - momentum) / L`), where
    `L` bounds the curvature of the loss. Use it to select inputs or units, for
    non-negative weights, or wherever a zero must be a zero. Strengths are those
    of `keras.regularizers`; do not give a layer the same penalty as well.

    The momentum is a fraction of the step that the weights really made
    (iPiano), so that it neither shifts the optimum nor drags weights from zero.
    Averages of weights (`use_ema`) hold no true zeros.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.01`.
        l1: Factor >= 0 on the sum of the absolute values. Defaults to `0.0`.
        l2: Factor >= 0 on the sum of the squares; not together with
            `weight_decay`. Defaults to `0.0`.
        group: Factor >= 0 on the sum of the Euclidean norms of the groups, of
            which each vanishes as a whole. A group is all that enters a unit:
            all axes of a variable but the last. So each entry of a bias is a
            group. Defaults to `0.0`.
        exclude: Regular expression on the end of a variable's path, as in
            `ParameterGroup`: these variables have neither penalty nor bounds.
            Defaults to `None`, which excludes nothing, as `weight_decay` does;
            most models want `"bias|gamma|beta"`.
        minimum: Lowest value of a weight, such as `0`. Defaults to `None`.
        maximum: Highest value of a weight. Defaults to `None`. With `group`,
            bounds must be zero.
        group_axis: The axis or the axes within a group, if not all but the
            last; `-1` groups a `Dense` kernel by input. Defaults to `None`.
        momentum: Fraction in [0, 1) of the last step that the next one adds.
            Without a penalty, that is the momentum of Keras' `SGD`. Defaults
            to `0.0`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `weight_decay` (decoupled).

    Raises:
        ValueError: If `l2` meets `weight_decay`, or `group` a bound other
            than zero.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(ProximalSGD(0.1, l1=0.01, exclude="bias"), "mse")
        >>> weight = keras.Variable([0.5, -0.5, 0.05])
        >>> ProximalSGD(0.1, l1=1.0).apply([np.zeros(3)], [weight])
        >>> [round(float(w), 4) for w in weight.numpy()]
        [0.4, -0.4, 0.0]

    References:
        Parikh and Boyd 2014, Proximal algorithms. Ochs et al. 2014, iPiano:
        inertial proximal algorithm for nonconvex optimization.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        l1: float = 0.0,
        l2: float = 0.0,
        group: float = 0.0,
        exclude: str | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        group_axis: int | Sequence[int] | None = None,
        momentum: float = 0.0,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            l1,
            l2,
            group,
            exclude,
            minimum,
            maximum,
            group_axis,
            **kwargs,
        )
        self.momentum = in_range(self, "momentum", momentum, low=0, below=1)

    def slot_names(self):
        return [("velocity",)] if self.momentum else []

    def formula(self, variable, gradient, slots, step):
        move = gradient * -step.rate
        if not self.momentum:
            return self.proximal(variable + move, step.rate, step.index), []
        move = move + slots[0] * self.momentum
        # Not the difference of the weights, whose rounding would be carried on
        # from step to step: what was to be added, and what became of it.
        point = variable + move
        value = self.proximal(point, step.rate, step.index)
        return value, [move + (value - point)]
