from collections.abc import Sequence

import keras

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.layers._replaced_weights import (
    find_weights,
    names_of_weights,
    refuse_quantized,
    replaced,
    value_of,
)
from keras_regopt.layers._sampling import dropped
from keras_regopt.layers._wrapper import Wrapper


@register
class DropConnect(Wrapper):
    """Drops single weights of a layer, where dropout drops its inputs.

    In training, each entry of the weights is set to zero with probability
    `rate`, drawn in every call, and the others are divided by `1 - rate`:

        y = layer(x; m * W / (1 - rate)),   m ~ Bernoulli(1 - rate).

    Use it on large dense layers, or on the recurrent weights of an LSTM
    (`target="recurrent_kernel"`), where dropout between the steps harms
    memory. The mask is one for the batch and, in a recurrent layer, for all
    steps. At inference the weights are used as they are, which is their mean.

    Args:
        layer: The layer whose weights are dropped, any Keras layer of one
            input, or a model.
        rate: Probability that a weight is dropped, in [0, 1). Defaults to
            `0.5`.
        target: Name of the weights to drop, or a list of names, such as
            `"kernel"`, `"recurrent_kernel"`, `"embeddings"`. All weights of
            that name count, those of layers within `layer` too. Defaults to
            `"kernel"`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of `layer`.

    Output shape:
        As of `layer`.

    Raises:
        ValueError: If `layer` has no weight of a name in `target`, once it is
            built.

    Examples:
        >>> layer = DropConnect(keras.layers.Dense(3), rate=0.5, seed=0)
        >>> layer(np.ones((2, 4), "float32")).shape == (2, 3)
        True
        >>> lstm = keras.layers.LSTM(8)
        >>> layer = DropConnect(lstm, 0.5, target="recurrent_kernel")

    References:
        Wan et al. 2013, Regularization of neural networks using DropConnect,
        with one mask for the batch and without their sampling at inference
        (for that see `MonteCarlo`); Merity et al. 2018 (arXiv 1708.02182), on
        the recurrent weights of an LSTM.
    """

    draws_once_for_a_batch = True

    def __init__(
        self,
        layer: keras.layers.Layer,
        rate: float = 0.5,
        target: str | Sequence[str] = "kernel",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.target = names_of_weights(self, target)
        self._take_seed(seed)

    def build(self, input_shape):
        super().build(input_shape)
        self._refs = find_weights(self, self.layer, self.target)

    def call(self, inputs, training=False, mask=None):
        if not training or self.rate == 0:
            return self._call_layer(inputs, training, mask)
        refuse_quantized(self, self._refs, "drop weights")
        weights = list(map(self._dropped, self._refs))
        with replaced(self._refs, weights):
            return self._call_layer(inputs, training, mask)

    def _dropped(self, ref):
        return dropped(self, value_of(ref))
