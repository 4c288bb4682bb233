from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._schedule_free import ScheduleFree


@register
class ScheduleFreeSGD(ScheduleFree):
    """SGD that averages its weights instead of lowering its learning rate.

    Use it where you would use SGD with momentum and a learning-rate schedule,
    but do not know how long you will train: at every moment, the averaged
    weights are about as good as those of a schedule that ends there. Good
    rates are larger than those of SGD with momentum, often by ten or more.

        y = momentum x + (1 - momentum) z
        z = z - learning_rate (gradient at y + weight_decay y)
        x = (1 - c) x + c z

    The factor `c` is the weight of the newest `z` over the sum of all weights
    so far; the weight of step `t` is `t ** r` times the largest rate so far, to
    the power of `weight_lr_power`.

    A model trains at `y` and is otherwise used with the average `x`. Its
    weights are `x` whenever no train step runs: in `evaluate`, validation
    and `predict`, in callbacks and checkpoints, in what is saved or exported,
    and in `model(x)`. The loss that `fit` shows for the training data belongs
    to `y`. The moving statistics of batch normalization belong to `y`, too;
    the authors advise to renew them with some forward passes after training.
    In a training loop of your own, `apply` takes gradients at `y` and leaves
    the variables there: wrap what evaluates or saves into
    `with optimizer.evaluation():`.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `1.0`.
        momentum: Weight of the average in the point where gradients are taken,
            in [0, 1]; `0` is averaging of plain SGD. Defaults to `0.9`.
        warmup_steps: Steps over which the rate grows linearly from zero, at
            least 0. Defaults to `0`.
        r: Power >= 0 of the step in the weights of the average; larger values
            forget early steps faster. Defaults to `0.0`.
        weight_lr_power: Power >= 0 of the largest rate so far in the weights
            of the average, which counts in warm-up. Defaults to `2.0`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (applied at `y`) and `clipnorm`; not `use_ema`.

    Raises:
        ValueError: If `use_ema` is set.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(ScheduleFreeSGD(0.5, warmup_steps=10), "mse")
        >>> model.optimizer.momentum
        0.9

    References:
        Defazio et al. 2024, The road less scheduled (arXiv 2405.15682), and
        `SGDScheduleFreeReference` in facebookresearch/schedule_free.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        momentum: float = 0.9,
        warmup_steps: int = 0,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        **kwargs,
    ):
        super().__init__(
            learning_rate, warmup_steps, r, weight_lr_power, **kwargs
        )
        self.momentum = in_range(self, "momentum", momentum, low=0, high=1)

    @property
    def interpolation(self):
        return self.momentum

    def descent(self, gradient, point, slots, rate, step):
        if step.decay:
            gradient = gradient + point * step.decay
        return gradient * rate, slots
