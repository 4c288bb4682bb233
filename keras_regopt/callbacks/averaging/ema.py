from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.callbacks.averaging._weight_average import WeightAverage


@register
class EMA(WeightAverage):
    """Exponential moving average of the weights, for `WeightAveraging`.

    Recent weights count most, so it can run from the first step to the last.
    It follows

        average = average + (1 - d) / m * (weight - average),
        m = d * m + (1 - d),

    where `d` is the momentum. With bias correction `m` starts at 0, and the
    average is that of the weights after steps alone, as in Adam; else it
    starts at 1, and the average at the weights before the first step.

    Args:
        momentum: Part that the average keeps with each sample, in [0, 1). It
            reaches back about `1 / (1 - momentum)` samples: choose it so that
            these are a few percent of the training. Defaults to `0.999`.
        bias_correction: Whether to leave the weights at the start out of the
            average. Defaults to `True`.
        warm_up: Whether to begin with a smaller momentum, which forgets the
            first steps sooner: `min(momentum, (1 + t) / (10 + t))` after `t`
            samples. Defaults to `False`.
        every: Number of steps or epochs from one sample to the next, an
            integer >= 1. Defaults to `1`.
        unit: What `every` and `start` count, `"step"` (batches) or
            `"epoch"`. Defaults to `"step"`.
        start: Number of steps or epochs that the average leaves out, an
            integer >= 0. Defaults to `0`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> [round(w, 4) for w in EMA(0.5).weights_of_samples(3)]
        [0.1429, 0.2857, 0.5714]

    References:
        Polyak and Juditsky 1992, Acceleration of stochastic approximation by
        averaging; `optax.ema`; `ModelEmaV3` in timm.
    """

    def __init__(
        self,
        momentum: float = 0.999,
        bias_correction: bool = True,
        warm_up: bool = False,
        every: int = 1,
        unit: str = "step",
        start: int = 0,
    ):
        super().__init__(every=every, unit=unit, start=start)
        self.momentum = in_range(self, "momentum", momentum, low=0, below=1)
        self.bias_correction = boolean(self, "bias_correction", bias_correction)
        self.warm_up = boolean(self, "warm_up", warm_up)
        self.includes_start = not self.bias_correction

    def fraction(self, samples, mass):
        if self.includes_start and samples == 0:
            return 1.0, 1.0
        steps = samples - self.includes_start
        momentum = self.momentum
        if self.warm_up:
            momentum = min(momentum, (1 + steps) / (10 + steps))
        mass = momentum * mass + (1 - momentum)
        return (1 - momentum) / mass, mass
