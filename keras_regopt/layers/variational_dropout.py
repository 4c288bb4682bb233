from collections.abc import Sequence

import keras

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.layers._base import Layer
from keras_regopt.layers._sampling import (
    dropout_factors,
    mask_axes,
    mask_shape,
)


@register
class VariationalDropout(Layer):
    """Dropout with one mask for all steps of a sequence.

    A mask that changes from step to step adds noise that a recurrent network
    can average away, or that wipes out its memory. Here a feature of an
    example is dropped at all steps or at none:

        y[:, t] = m * x[:, t] / (1 - rate),   m ~ Bernoulli(1 - rate).

    Put it between recurrent layers, and on embeddings. At inference it is the
    identity. Masks are as for Keras' `SpatialDropout1D`, on inputs of any rank;
    for the same kind of dropout on the recurrent state, Keras' recurrent
    layers have the argument `recurrent_dropout`.

    Args:
        rate: Probability that a feature is dropped, in [0, 1). Defaults to
            `0.5`.
        axis: The axis of the steps, or a list of axes that share one mask, not
            the batch's axis 0. Defaults to `1`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        A tensor with the batch in the first axis, usually
        `(batch, steps, features)`.

    Output shape:
        As the input.

    Examples:
        >>> layer = VariationalDropout(rate=0.5, seed=0)
        >>> x = np.ones((2, 10, 4), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> bool((y == y[:, :1]).all())
        True

    References:
        Gal and Ghahramani 2016, A theoretically grounded application of
        dropout in recurrent neural networks (arXiv 1512.05287).
    """

    passes_channels = True

    def __init__(
        self,
        rate: float = 0.5,
        axis: int | Sequence[int] = 1,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.axis = mask_axes(self, axis)
        self._take_seed(seed)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = mask_shape(self, inputs)
        return inputs * dropout_factors(self, shape, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
