import math

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer, one_of
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import between, one_or_between
from keras_regopt.augmentation.audio._linear import LinearAugmentation
from keras_regopt.augmentation.audio.functional import _filters
from keras_regopt.augmentation.audio.functional._levels import amplitude

PASSES = ("low_pass", "high_pass")
BANDS = ("band_pass", "band_stop")
SHELVES = ("low_shelf", "high_shelf")
TYPES = (*PASSES, *BANDS, *SHELVES, "peaking")

# A response has rung out when it is 80 dB down, in this many time constants.
RINGING = math.log(10**4)


@register
class RandomFilter(LinearAugmentation):
    """Sends each clip through a filter with a random frequency.

    Teaches a model to hear through telephones, walls and cheap microphones.
    The filters are those that audio programs have, with the phase that they
    have: passes and stops of Butterworth, -3 dB at their frequencies, and
    the shelves and bells of equalizers. They are computed as frequency
    responses, so that neighbours in a pipeline cost one transform. `targets`
    and `lengths` do not change.

    Args:
        filter_type: `"low_pass"`, `"high_pass"`, `"band_pass"`,
            `"band_stop"`, `"low_shelf"`, `"high_shelf"` or `"peaking"`.
            Defaults to `"low_pass"`.
        frequency: The cutoff in Hz, or the middle of the band, above 0 and
            below half the sample rate. A pair `(lowest, highest)` is a range,
            from which each clip draws its own, evenly on the scale of
            octaves. Defaults to `(300.0, 3000.0)`.
        gain: Of shelves and `"peaking"`, the change in decibels, from -60 to
            60, or a pair. Defaults to `(-12.0, 12.0)`.
        bandwidth: Of `"band_pass"`, `"band_stop"` and `"peaking"`, the width
            in octaves, from 0.05 to 8, or a pair. Defaults to `(0.5, 2.0)`.
        order: Of passes and stops, the steepness: an integer from 1 to 12,
            for `6 * order` decibels an octave. Defaults to `2`.
        sample_rate: Samples a second. Defaults to `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip changes at all),
            `channels` and `value_range`, and `name` and `dtype` of a Keras
            layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among these values, or if a band
            reaches half the sample rate.

    Examples:
        >>> layer = RandomFilter("low_pass", frequency=500.0, order=4)
        >>> time = np.arange(16000) / 16000
        >>> audio = np.sin(2 * np.pi * 2000 * time).astype("float32")
        >>> left = keras.ops.convert_to_numpy(layer(audio))[4000:]
        >>> round(20 * float(np.log10(left.std() / audio.std())))
        -50

    References:
        Bristow-Johnson 1998, Cookbook formulae for audio EQ biquad filter
        coefficients.
    """

    def __init__(
        self,
        filter_type: str = "low_pass",
        frequency: float | tuple[float, float] = (300.0, 3000.0),
        gain: float | tuple[float, float] = (-12.0, 12.0),
        bandwidth: float | tuple[float, float] = (0.5, 2.0),
        order: int = 2,
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.filter_type = one_of(self, "filter_type", filter_type, TYPES)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=0)
        self.gain = one_or_range(self, "gain", gain, -60, 60)
        self.bandwidth = one_or_range(self, "bandwidth", bandwidth, 0.05, 8)
        self.order = integer(self, "order", order, 1, 12)
        self.frequency = self._checked(frequency)
        ringing = RINGING * self.sample_rate * self._slowest()
        self.tail = math.ceil(ringing) + 16

    def sample(self, shape, seed):
        draws = self.uniforms(3, shape[0], seed)
        pair = map(math.log, _pair(self.frequency))
        return {
            "frequency": self.ops.exp(between(tuple(pair), draws[0])),
            "gain": amplitude(one_or_between(self.gain, draws[1])),
            "bandwidth": one_or_between(self.bandwidth, draws[2]),
        }

    def response(self, parameters, size):
        frequency, gain, bandwidth = (
            parameters[name][:, None]
            for name in ("frequency", "gain", "bandwidth")
        )
        frequency = frequency / self.sample_rate
        axis = _filters.axis_of(size)
        function = getattr(_filters, self.filter_type)
        if self.filter_type in BANDS:
            half = self.ops.exp(math.log(2) / 2 * bandwidth)
            low, high = frequency / half, frequency * half
            low, high = _filters.warped(low), _filters.warped(high)
            return function(axis, low, high, self.order)
        middle = _filters.warped(frequency)
        if self.filter_type in PASSES:
            return function(axis, middle, self.order)
        if self.filter_type in SHELVES:
            return function(axis, middle, gain)
        return function(axis, middle, gain, bandwidth)

    def _checked(self, frequency):
        """The frequencies, none of which may reach half the sample rate."""
        half = self.sample_rate / 2
        pair = _pair(one_or_range(self, "frequency", frequency, 0, half))
        is_band = self.filter_type in BANDS
        octaves = max(_pair(self.bandwidth)) / 2 if is_band else 0
        if pair[0] <= 0 or pair[1] * 2**octaves >= half:
            fail(
                self,
                "frequency",
                f"above 0 and, with the upper edge of the band, below {half}, "
                f"half of sample_rate={self.sample_rate}",
                frequency,
            )
        return frequency if isinstance(frequency, (int, float)) else pair

    def _slowest(self):
        """The longest time in which a response falls to 1 / e, in seconds."""
        omega = 2 * math.pi * min(_pair(self.frequency))
        angles = [0.0, *_filters.angles(self.order)]
        steepness = 1 / math.cos(max(angles))
        if self.filter_type in PASSES:
            return steepness / omega
        bandwidths = [math.log(2) / 2 * b for b in _pair(self.bandwidth)]
        narrow, wide = math.sinh(min(bandwidths)), max(bandwidths)
        if self.filter_type in BANDS:
            # Of a wide band, the lower edge alone.
            return steepness / omega * max(1 / narrow, math.exp(wide))
        root = 10 ** (max(map(abs, _pair(self.gain))) / 40)
        if self.filter_type in SHELVES:
            return math.sqrt(2 * root) / omega
        # So wide that it no longer swings, a bell is two filters in a row.
        return root / omega * max(1 / narrow, 2 * math.sinh(wide))


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)
