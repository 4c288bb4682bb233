import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.layers._replaced_weights import (
    find_weights,
    names_of_weights,
    quantization_of,
    value_of,
)
from keras_regopt.layers._sampling import (
    check_floats,
    concrete_factors,
    mask_axes,
    mask_shape,
)
from keras_regopt.layers._wrapper import Wrapper


@register
class ConcreteDropout(Wrapper):
    """Dropout before a layer, whose rate is learned with the weights.

    Instead of a search over rates, the rate `p` follows from the data: it
    falls as they become many, and stays where they are few. In training, an
    input is dropped by a continuous relaxation of the Bernoulli distribution,
    through which the gradient reaches `p`,

        drop = sigmoid((log(p / (1 - p)) + log(u / (1 - u))) / temperature),
        y = layer(x * (1 - drop) / (1 - p)),   u ~ Uniform(0, 1),

    and two terms join the loss, with `K` inputs of the layer,

        weight_regularizer * sum(W ** 2) / (1 - p)
        + dropout_regularizer * K * (p * log(p) + (1 - p) * log(1 - p)).

    At inference nothing is dropped; for estimates of uncertainty, wrap the
    model into `MonteCarlo`. `layer.rate` is the rate, which is saved with the
    weights.

    Args:
        layer: The layer whose inputs are dropped, such as a `Dense` or
            `Conv2D`.
        weight_regularizer: Strength of the penalty on the weights, at least 0.
            By the paper `l ** 2 / (tau * N)` with the prior's length scale
            `l`, the precision `tau` of the observations and `N` training
            examples. Defaults to `1e-6`.
        dropout_regularizer: Strength of the pull towards a rate of one half,
            at least 0. By the paper `2 / (tau * N)` for the squared error,
            `1 / N` for the cross-entropy. Defaults to `1e-5`.
        initial_rate: The rate to begin with, in (0, 1). Defaults to `0.1`.
        temperature: Smoothness of the relaxation, a number > 0. Defaults to
            `0.1`; for convolutions the authors use 2/3.
        axis: An axis, or a list of axes, along which inputs are dropped
            together: `[1, 2]` before a `Conv2D` drops whole feature maps.
            Defaults to `None`, each input by itself.
        target: Name of the penalized weights, or a list of names. Defaults to
            `"kernel"`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of `layer`; the number of channels must be known.

    Output shape:
        As of `layer`.

    Raises:
        ValueError: If `layer` has no weight of a name in `target`, once it is
            built.

    Examples:
        >>> layer = ConcreteDropout(keras.layers.Dense(3), initial_rate=0.25)
        >>> layer(np.ones((2, 4), "float32")).shape == (2, 3)
        True
        >>> round(layer.rate, 3)
        0.25

    References:
        Gal, Hron and Kendall 2017, Concrete dropout (arXiv 1705.07832).
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        weight_regularizer: float = 1e-6,
        dropout_regularizer: float = 1e-5,
        initial_rate: float = 0.1,
        temperature: float = 0.1,
        axis: int | Sequence[int] | None = None,
        target: str | Sequence[str] = "kernel",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        self.weight_regularizer = in_range(
            self, "weight_regularizer", weight_regularizer, low=0
        )
        self.dropout_regularizer = in_range(
            self, "dropout_regularizer", dropout_regularizer, low=0
        )
        self.initial_rate = in_range(
            self, "initial_rate", initial_rate, above=0, below=1
        )
        self.temperature = in_range(self, "temperature", temperature, above=0)
        self.axis = mask_axes(self, axis, optional=True)
        self.target = names_of_weights(self, target)
        self._take_seed(seed)

    def build(self, input_shape):
        super().build(input_shape)
        self._refs = find_weights(self, self.layer, self.target)
        odds = self.initial_rate / (1 - self.initial_rate)
        self.rate_logit = self.add_weight(
            name="rate_logit",
            shape=(),
            initializer=keras.initializers.Constant(math.log(odds)),
            autocast=False,
        )

    @property
    def rate(self):
        """The rate that has been learned so far, a number."""
        return float(ops.convert_to_numpy(ops.sigmoid(self._logit())))

    def call(self, inputs, training=False, mask=None):
        self.add_loss(self._penalty(inputs))
        if training:
            inputs = self._dropped_out(inputs)
        return self._call_layer(inputs, training, mask)

    def _dropped_out(self, inputs):
        check_floats(self, inputs.dtype)
        mask = concrete_factors(
            self, mask_shape(self, inputs), self._logit(), self.temperature
        )
        return inputs * ops.cast(mask, inputs.dtype)

    def _penalty(self, inputs):
        logit = self._logit()
        rate, rest = ops.sigmoid(logit), ops.sigmoid(-logit)
        squares = sum(
            ops.sum(ops.square(ops.cast(value_of(ref, True), "float32")))
            for ref in self._refs
            # Integers are not penalized: they are not trained.
            if quantization_of(ref) is None
        )
        # The logarithms of `rate` and `rest`, finite for every logit.
        negative_entropy = -rate * ops.softplus(-logit) - rest * ops.softplus(
            logit
        )
        count = inputs.shape[self._channel_axis]
        return (
            self.weight_regularizer * squares / rest
            + self.dropout_regularizer * count * negative_entropy
        )

    @property
    def _channel_axis(self):
        data_format = getattr(self.layer, "data_format", "channels_last")
        return 1 if data_format == "channels_first" else -1

    def _logit(self):
        return ops.cast(self.rate_logit, "float32")
