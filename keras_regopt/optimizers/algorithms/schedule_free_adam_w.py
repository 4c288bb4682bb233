from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.algorithms._rectification import rectification
from keras_regopt.optimizers.algorithms._schedule_free import ScheduleFree
from keras_regopt.optimizers.engine._numerics import bias_correction, lerp


@register
class ScheduleFreeAdamW(ScheduleFree):
    """AdamW that averages its weights, in place of a falling learning rate.

    Use it where you would use AdamW with a learning-rate schedule, but do not
    know how long you will train. Good rates are 1 to 10 times those of AdamW
    with a schedule; a warm-up, or `rectified`, helps.

        y = beta_1 x + (1 - beta_1) z
        v = beta_2 v + (1 - beta_2) g ** 2, with the gradient g at y
        z = z - learning_rate (
            g / (sqrt(v / (1 - beta_2 ** t)) + epsilon) + weight_decay y
        )
        x = (1 - c) x + c z

    The part `c` of the newest `z` is its weight over the sum of all weights so
    far; the weight of step `t` is `t ** r` times the largest rate so far, to
    the power of `weight_lr_power`.

    A model trains at `y` and is otherwise used with the average `x`, as
    `ScheduleFreeSGD` tells at length; in a training loop of your own, wrap
    what evaluates or saves into `with optimizer.evaluation():`.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.0025`.
        beta_1: The part of the average in the point where gradients are
            taken, in [0, 1]. Defaults to `0.9`.
        beta_2: Decay of the average of the squared gradients, in (0, 1).
            Defaults to `0.999`.
        epsilon: Number > 0 that is added to the root of the average of the
            squared gradients, after the correction of its bias. Defaults to
            `1e-8`.
        warmup_steps: Steps over which the rate grows linearly from zero, at
            least 0. Defaults to `0`.
        rectified: Whether to scale the rate as `RAdam` does instead of a
            warm-up; the first steps, four with the default `beta_2`, then
            leave the weights alone. Defaults to `False`.
        r: Power >= 0 of the step in the weights of the average; larger values
            forget early steps faster. Defaults to `0.0`.
        weight_lr_power: Power >= 0 of the largest rate so far in the weights
            of the average, which counts in warm-up. Defaults to `2.0`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (applied at `y`) and `clipnorm`; not `use_ema`.

    Raises:
        ValueError: If an argument is out of its range, or `use_ema` is set.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(ScheduleFreeAdamW(0.01, rectified=True), "mse")
        >>> model.optimizer.beta_1
        0.9

    References:
        Defazio et al. 2024, The road less scheduled (arXiv 2405.15682), and
        `AdamWScheduleFreeReference` and `RAdamScheduleFree` in
        facebookresearch/schedule_free.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        rectified: bool = False,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        **kwargs,
    ):
        super().__init__(
            learning_rate, warmup_steps, r, weight_lr_power, **kwargs
        )
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, high=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.rectified = boolean(self, "rectified", rectified)

    @property
    def interpolation(self):
        return self.beta_1

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # After the variables that the base has made, as in the files.
        self.slots.add(("velocity",))

    def rate_factor(self, step):
        factor = super().rate_factor(step)
        if not self.rectified:
            return factor
        return factor * rectification(self.beta_2, step, least=4)

    def step_values(self, gradients, variables, learning_rate):
        values = super().step_values(gradients, variables, learning_rate)
        step = ops.cast(self.iterations + 1, "float32")
        correction = ops.sqrt(bias_correction(self.beta_2, step))
        return {**values, "correction": correction}

    def descent(self, gradient, point, slots, rate, step):
        velocity = lerp(slots[0], ops.square(gradient), 1 - self.beta_2)
        # Both sides of the fraction times the root of the correction.
        correction = step.values["correction"]
        divisor = ops.sqrt(velocity) + self.epsilon * correction
        move = gradient * (rate * correction) / divisor
        if step.decay:
            move = move + point * (rate * step.decay)
        return move, [velocity]
