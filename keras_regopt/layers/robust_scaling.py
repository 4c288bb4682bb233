import numpy as np

from keras_regopt._axes import axes_within
from keras_regopt._registry import register
from keras_regopt._validate import fail, integer
from keras_regopt.layers._adapted import AdaptedLayer


@register
class RobustScaling(AdaptedLayer):
    """Scales inputs by median and quartiles, which outliers do not affect.

    Each feature of the inputs becomes

        (x - median) / (upper quantile - lower quantile)

    with the statistics of the data that `adapt` was given. Use it instead of
    `keras.layers.Normalization` where a few outliers would spoil mean and
    variance: sensor data, prices, counts. A feature without spread is centered
    alone. It is the same in training and at inference, and goes into a model
    as its first layer, or into `tf.data`.

    Args:
        quantile_range: The two quantiles in percent, `0 <= lower < upper <=
            100`. Defaults to `(25.0, 75.0)`, the quartiles.
        axis: The axis of the features, an integer other than `0`; all other
            axes together are a feature's values. Defaults to `-1`.
        **kwargs: Keras' arguments of every layer, such as `name`, and `dtype`,
            which is `"float32"` unless given.

    Input shape:
        Two axes or more, the first of which is the batch.

    Output shape:
        As the input. Floats of the layer's `compute_dtype`.

    Examples:
        >>> layer = RobustScaling()
        >>> layer.adapt(np.array([[1.0], [2.0], [3.0], [4.0], [1000.0]]))
        >>> [float(v) for v in layer(np.array([[3.0], [5.0]]))[:, 0]]
        [0.0, 1.0]

    References:
        scikit-learn's `RobustScaler`, whose numbers it has. NaN in the data
        does not count, as there; the values are kept in memory for the sort.
    """

    def __init__(
        self,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        axis: int = -1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.quantile_range = _checked_range(self, quantile_range)
        self.axis = integer(self, "axis", axis)
        if self.axis == 0:
            fail(self, "axis", "an integer other than 0", axis)

    def build(self, input_shape):
        super().build(input_shape)
        (axis,) = axes_within(self, "axis", self.axis, input_shape, first=1)
        count = input_shape[axis]
        if count is None:
            fail(self, "axis", "an axis of known length", self.axis)
        self.center = self.add_statistic("center", (count,), "zeros")
        self.spread = self.add_statistic("spread", (count,), "ones")

    def learn(self, batches):
        rows = []
        for batch in batches:
            batch = np.moveaxis(batch, self.axis, -1)
            rows.append(batch.reshape(-1, batch.shape[-1]))
        lower, upper = self.quantile_range
        low, center, high = np.nanpercentile(
            np.concatenate(rows), [lower, 50.0, upper], axis=0
        )
        spread = high - low
        # A constant feature would blow up its rounding errors.
        tiny = spread <= 10 * np.finfo("float32").eps * np.abs(center)
        return [(self.center, center), (self.spread, np.where(tiny, 1, spread))]

    def call(self, inputs):
        shape = [1] * len(inputs.shape)
        shape[self.axis] = -1
        center, spread = (
            self.backend.numpy.reshape(self.value_of(weight), shape)
            for weight in (self.center, self.spread)
        )
        x = self.backend.cast(inputs, "float32")
        return self.backend.cast((x - center) / spread, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


def _checked_range(owner, value):
    try:
        lower, upper = (float(v) for v in value)
    except (TypeError, ValueError):
        lower = upper = -1.0
    if not 0 <= lower < upper <= 100:
        allowed = "a pair of numbers with 0 <= lower < upper <= 100"
        fail(owner, "quantile_range", allowed, value)
    return (lower, upper)
