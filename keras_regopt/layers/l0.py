import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._keras import stored_dtype
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, one_of
from keras_regopt.layers._draws import logistics
from keras_regopt.layers._replaced_weights import (
    find_weights,
    fold_at_quantization,
    names_of_weights,
    quantization_of,
    refuse_quantized,
    replaced,
    shape_of,
    value_of,
)
from keras_regopt.layers._wrapper import Wrapper

# The gates are stretched to this interval and cut off at 0 and 1, so that they
# are exactly 0 or 1 with a probability of their own.
_LOW, _HIGH = -0.1, 1.1
_WITH_UNITS = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
)


@register
class L0(Wrapper):
    """Drives weights or whole units of a layer to exact zeros, by gates.

    Each weight, or each output unit, is multiplied by a gate from 0 to 1. In
    training the gates are random, and the penalty is the expected number of
    weights that are not zero, which has a gradient where the number itself has
    none:

        s = sigmoid((log(u / (1 - u)) + log_alpha) / temperature),
        gate = clip(1.2 * s - 0.1, 0, 1),   u ~ Uniform(0, 1),
        penalty = strength * sum(P(gate != 0)),
        P(gate != 0) = sigmoid(log_alpha - temperature * log(0.1 / 1.1)).

    Unlike L1 it does not shrink the weights that stay. At inference the gates
    are `clip(1.2 * sigmoid(log_alpha) - 0.1, 0, 1)`, many of them exact zeros.
    One draw serves a whole batch.

    Args:
        layer: The layer whose weights are gated: with `per="unit"` a `Dense`,
            `Conv1D`, `Conv2D` or `Conv3D`, else any layer of one input.
        strength: Price of a weight that is not zero, at least 0; a gate of a
            unit costs as many times as it has weights, its bias included. It
            adds to the mean loss of an example, so a price for the whole data
            is to be divided by their number. Defaults to `1e-4`.
        per: `"unit"` for one gate for each output unit or filter, bias
            included, which leaves a smaller dense layer, or `"weight"` for one
            gate for each weight. Defaults to `"unit"`.
        initial_rate: Probability, before the cutting off, that a gate is
            closed in the beginning, in (0, 1). Defaults to `0.5`.
        temperature: How smooth the gates are, a number > 0. Defaults to `2/3`.
        target: Name of the weights to gate, or a list of names, where
            `per="weight"`. Defaults to `"kernel"`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of `layer`.

    Output shape:
        As of `layer`.

    Raises:
        ValueError: If an argument is out of its range, or, once it is built,
            if `layer` has no weight of a name.

    Examples:
        >>> layer = L0(keras.layers.Dense(3), per="weight", initial_rate=0.9)
        >>> layer(np.ones((2, 4), "float32")).shape == (2, 3)
        True
        >>> layer.gates.shape
        (4, 3)
        >>> 0.5 < layer.expected_zeros < 1
        True

    References:
        Louizos, Welling and Kingma 2018, Learning sparse neural networks
        through L0 regularization (arXiv 1712.01312).
    """

    draws_once_for_a_batch = True

    def __init__(
        self,
        layer: keras.layers.Layer,
        strength: float = 1e-4,
        per: str = "unit",
        initial_rate: float = 0.5,
        temperature: float = 2 / 3,
        target: str | Sequence[str] = "kernel",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        self.strength = in_range(self, "strength", strength, low=0)
        self.per = one_of(self, "per", per, ("unit", "weight"))
        if per == "unit" and not isinstance(layer, _WITH_UNITS):
            allowed = 'a Dense, Conv1D, Conv2D or Conv3D with per="unit"'
            remedy = 'With per="weight" it may be any layer.'
            fail(self, "layer", allowed, layer, remedy)
        self.initial_rate = in_range(
            self, "initial_rate", initial_rate, above=0, below=1
        )
        self.temperature = in_range(self, "temperature", temperature, above=0)
        self.target = names_of_weights(self, target)
        self._take_seed(seed)

    def build(self, input_shape):
        super().build(input_shape)
        target = self.target
        if self.per == "unit":
            target = ["kernel", "bias"] if self.layer.use_bias else "kernel"
        self._places = find_weights(self, self.layer, target)
        shapes = [shape_of(place) for place in self._places]
        self._sizes = [math.prod(shape) for shape in shapes]
        if self.per == "unit":
            # The same gates for the kernel and the bias.
            shapes = [shapes[0][-1:]]
        odds = (1 - self.initial_rate) / self.initial_rate
        # Not all the same, so that units begin to differ.
        initializer = keras.initializers.RandomNormal(math.log(odds), 0.01)
        self.log_alphas = [
            self.add_weight(
                name=f"log_alpha_{place}",
                shape=shape,
                initializer=initializer.clone(),
                autocast=False,
            )
            for place, shape in enumerate(shapes)
        ]
        fold_at_quantization(self, self._places, self._at_inference)

    @property
    def expected_zeros(self):
        """The part of the weights that is zero on average in training."""
        open_now = self._expected_weights(self._values())
        return 1 - float(ops.convert_to_numpy(open_now)) / self._size()

    @property
    def gates(self):
        """The gates at inference, an array, or a list for several weights."""
        gates = [ops.convert_to_numpy(g) for g in self._closed(self._values())]
        return gates[0] if len(gates) == 1 else gates

    def call(self, inputs, training=False, mask=None):
        log_alphas = self._values()
        self.add_loss(self.strength * self._expected_weights(log_alphas))
        gates = (self._drawn if training else self._closed)(log_alphas)
        if self.per == "unit":
            gates = gates * len(self._places)
        if training:
            refuse_quantized(self, self._places, "train")
        # In what is quantized, the gates are already.
        each = [
            (place, gate)
            for place, gate in zip(self._places, gates, strict=True)
            if not _is_whole(place)
        ]
        weights = [_gated(value_of(place), gate) for place, gate in each]
        with replaced([place for place, _ in each], weights):
            return self._call_layer(inputs, training, mask)

    def _at_inference(self, place, number):
        gates = self._closed(self._values())
        gate = gates[0] if self.per == "unit" else gates[number]
        return _gated(value_of(place, full_precision=True), gate)

    def _drawn(self, log_alphas):
        return [_stretched(self._noisy(a)) for a in log_alphas]

    def _noisy(self, log_alpha):
        noise = logistics(self, tuple(log_alpha.shape))
        return (noise + log_alpha) / self.temperature

    def _closed(self, log_alphas):
        return [_stretched(a) for a in log_alphas]

    def _expected_weights(self, log_alphas):
        """How many weights are not zero on average."""
        shift = self.temperature * math.log(-_LOW / _HIGH)
        open_gates = sum(ops.sum(ops.sigmoid(a - shift)) for a in log_alphas)
        gate_count = sum(math.prod(a.shape) for a in log_alphas)
        return open_gates * (self._size() / gate_count)

    def _size(self):
        return sum(self._sizes)

    def _values(self):
        return [ops.cast(a, "float32") for a in self.log_alphas]


def _gated(weight, gate):
    return weight * ops.cast(gate, weight.dtype)


def _is_whole(place):
    """Whether a weight is integers: a bias stays float beside a kernel."""
    dtype = keras.backend.standardize_dtype(stored_dtype(place.variable))
    return quantization_of(place) is not None and "int" in dtype


def _stretched(logit):
    return ops.clip(ops.sigmoid(logit) * (_HIGH - _LOW) + _LOW, 0.0, 1.0)
