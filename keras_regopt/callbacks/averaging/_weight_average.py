from keras_regopt._config import SignatureConfig
from keras_regopt._validate import integer, one_of, positive_int
from keras_regopt.callbacks._not_a_callback import NotACallback
from keras_regopt.callbacks.averaging._live_weights import arrays, copies


class WeightAverage(NotACallback, SignatureConfig):
    """Base of the averages that `WeightAveraging` can make.

    An average has settings and no state: what there is to keep from one
    sample of the weights to the next is the dict that `add` returns. A
    subclass writes `fraction`; or, if it keeps the samples themselves, `add`,
    `average` and `loaded`.

    Args:
        every: Number of steps or epochs from one sample to the next.
        unit: `"step"` or `"epoch"`.
        start: Number of steps or epochs before sampling starts.
    """

    callback_form = "WeightAveraging({})"
    # Whether the weights before the first step are a sample too.
    includes_start = False

    def __init__(self, every: int, unit: str, start: int):
        self.every = positive_int(self, "every", every)
        self.unit = one_of(self, "unit", unit, ("step", "epoch"))
        self.start = integer(self, "start", start, low=0)

    def due(self, before, after):
        """Whether a sample is due.

        Args:
            before: Steps or epochs that were made when this was asked last.
            after: Steps or epochs now. However many lie in between, they make
                one sample.
        """
        if self.includes_start and before < self.start <= after:
            return True
        return self._periods(after) > self._periods(before)

    def add(self, state, weights):
        """Takes the weights as they are now into the average.

        Args:
            state: What `add` returned for the sample before, which must not be
                used any more; `None` for the first one.
            weights: The `LiveWeights`.

        Returns:
            A dict of `"samples"`, `"mass"` and `"values"`.
        """
        samples, mass, values = 0, 0.0, None
        if state is not None:
            samples, mass = state["samples"], state["mass"]
            values = state["values"]
        fraction, mass = self.fraction(samples, mass)
        if values is None:
            values = copies(weights.read(), precise=True)
        else:
            values = weights.update(values, fraction)
        return {"samples": samples + 1, "mass": mass, "values": values}

    def fraction(self, samples, mass):
        """How far a sample moves the average.

        Args:
            samples: Number of the samples before.
            mass: What those weigh together, in [0, 1].

        Returns:
            A pair: the fraction, in (0, 1], of the difference between the
            sample and the average, and the new mass.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `fraction(self, samples, mass)`."
        )

    def weights_of_samples(self, samples):
        """What each sample weighs in the average.

        Args:
            samples: Number of the samples so far, an integer >= 1.

        Returns:
            A list of numbers, the oldest sample first, whose sum is 1.
        """
        weights, mass = [], 0.0
        for sample in range(samples):
            fraction, mass = self.fraction(sample, mass)
            weights = [(1 - fraction) * w for w in weights] + [fraction]
        return weights

    def average(self, state):
        """The average itself, a list of tensors or arrays."""
        return state["values"]

    def saved(self, state):
        """What `add` returned, in NumPy arrays."""
        return {**state, "values": arrays(state["values"])}

    def loaded(self, state):
        """What `saved` returned, ready for `add`."""
        return {**state, "values": copies(state["values"])}

    def _periods(self, position):
        return max(position - self.start, 0) // self.every
