import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import positive_int
from keras_regopt.callbacks.averaging._live_weights import arrays
from keras_regopt.callbacks.averaging._weight_average import WeightAverage


@register
class LAWA(WeightAverage):
    """Mean of the latest samples of the weights, for `WeightAveraging`.

    Like `SWA`, but it forgets: it can run from the first epoch on, and then
    speeds up the middle of a training. The samples are kept in the memory of
    the host, `last` times as much as the weights.

    Args:
        last: Number of samples to average, an integer >= 1. Before there are
            so many, it averages those that there are. Defaults to `6`.
        every: Number of steps or epochs from one sample to the next, an
            integer >= 1. Defaults to `1`.
        unit: What `every` and `start` count, `"step"` (batches) or
            `"epoch"`. Defaults to `"epoch"`.
        start: Number of steps or epochs that the average leaves out, an
            integer >= 0. Defaults to `0`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> LAWA(last=2).weights_of_samples(3)
        [0.0, 0.5, 0.5]

    References:
        Kaddour 2022, Stop wasting my time! Saving days of ImageNet and BERT
        training with latest weight averaging (arXiv 2209.14981).
    """

    def __init__(
        self, last: int = 6, every: int = 1, unit: str = "epoch", start: int = 0
    ):
        super().__init__(every=every, unit=unit, start=start)
        self.last = positive_int(self, "last", last)

    def add(self, state, weights):
        before = {"samples": 0, "values": []} if state is None else state
        values = [*before["values"], arrays(weights.read(), precise=True)]
        return {
            "samples": before["samples"] + 1,
            "values": values[-self.last :],
        }

    def weights_of_samples(self, samples):
        counted = min(self.last, samples)
        return [0.0] * (samples - counted) + [1 / counted] * counted

    def average(self, state):
        by_weight = zip(*state["values"], strict=True)
        return [np.mean(each, axis=0) for each in by_weight]

    def saved(self, state):
        return {**state, "values": [arrays(s) for s in state["values"]]}

    def loaded(self, state):
        return self.saved(state)
