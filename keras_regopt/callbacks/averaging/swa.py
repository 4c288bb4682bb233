from keras_regopt._registry import register
from keras_regopt.callbacks.averaging._weight_average import WeightAverage


@register
class SWA(WeightAverage):
    """Stochastic weight averaging, the plain mean, for `WeightAveraging`.

    Every sample counts the same: `average + (weight - average) / n` with the
    n-th one. So start it late, when the training has come near a minimum, and
    keep the learning rate constant and fairly high, or cyclical with one
    sample at the end of each cycle, so that the samples differ.

    Args:
        every: Number of steps or epochs from one sample to the next, an
            integer >= 1. Defaults to `1`.
        unit: What `every` and `start` count, `"step"` (batches) or
            `"epoch"`. Defaults to `"epoch"`.
        start: Number of steps or epochs that the average leaves out, an
            integer >= 0; three quarters of the training are usual. Defaults
            to `0`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> SWA(start=75).weights_of_samples(4)
        [0.25, 0.25, 0.25, 0.25]

    References:
        Izmailov et al. 2018, Averaging weights leads to wider optima and
        better generalization (arXiv 1803.05407); `torch.optim.swa_utils`.
    """

    def __init__(self, every: int = 1, unit: str = "epoch", start: int = 0):
        super().__init__(every=every, unit=unit, start=start)

    def fraction(self, samples, mass):
        return 1 / (samples + 1), 1.0
