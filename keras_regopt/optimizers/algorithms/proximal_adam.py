from collections.abc import Sequence

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._proximal import ProximalOptimizer
from keras_regopt.optimizers.engine._numerics import bias_correction, lerp


@register
class ProximalAdam(ProximalOptimizer):
    """Adam with exact L1, L2, group lasso and bounds, which give true zeros.

    As in `ProximalSGD`, the gradient is that of the loss alone, and the penalty
    `h` acts afterwards through its proximal operator, here in Adam's own
    metric, where each entry has a step of its own:

        step = learning_rate / (root of the averaged square + epsilon)
        w = prox(w - step * averaged gradient)
        prox(x) = the minimum over w of h(w) + sum((w - x) ** 2 / (2 * step))
        h(w) = l1 * sum(|w|) + l2 * sum(w ** 2) + group * sum(norm(w_g))

    with `minimum <= w <= maximum`. So the fixed points are the optima of loss
    plus penalty; with a common step for all entries they would not be. For L1,
    L2 and bounds this is a closed form; the norm of each group's solution is
    found by eight Newton steps, which reach single precision. Use it like
    `ProximalSGD`, where Adam trains better than SGD. Without a penalty it is
    Keras' `Adam`.

    A weight whose gradient is always zero (a dead unit, a row of an embedding
    that has not occurred yet) has a very long step, so that a penalty takes it
    to zero at once: nothing speaks against it. Exclude embeddings with rare
    rows. Averages of weights (`use_ema`) hold no true zeros.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
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
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in (0, 1).
            Defaults to `0.999`.
        epsilon: Number > 0 that is added to the root of the average of the
            squared gradients, before the correction of its bias, as in Keras'
            `Adam`. Defaults to `1e-7`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `weight_decay` (decoupled).

    Raises:
        ValueError: If `l2` meets `weight_decay`, or `group` a bound other
            than zero.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(ProximalAdam(0.01, group=0.1, exclude="bias"), "mse")
        >>> model.optimizer.name
        'proximal_adam'

    References:
        Yun et al. 2021, Adaptive proximal gradient methods for structured
        neural networks (arXiv 2006.10041), algorithm 1. Melchior et al. 2019,
        Proximal Adam (arXiv 1910.10094), who solve for any penalty by inner
        iterations.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        l1: float = 0.0,
        l2: float = 0.0,
        group: float = 0.0,
        exclude: str | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        group_axis: int | Sequence[int] | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum", "velocity")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return (
            1 / bias_correction(self.beta_1, step),
            ops.sqrt(bias_correction(self.beta_2, step)),
        )

    def formula(self, variable, gradient, slots, step):
        momentum, velocity = slots
        mean, deviation = step.values
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        velocity = lerp(velocity, ops.square(gradient), 1 - self.beta_2)
        rates = (step.rate * deviation) / (ops.sqrt(velocity) + self.epsilon)
        point = variable - (rates * mean) * momentum
        value = self.proximal(point, rates, step.index)
        return value, [momentum, velocity]
