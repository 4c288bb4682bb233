from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt import _elementwise
from keras_regopt._random import next_key
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.layers._drop_in import (
    DropIn,
    checked_by_keras,
    checked_noise_shape,
    shares_examples,
)
from keras_regopt.layers._sampling import check_floats, full_shape

# The limit of SELU for very negative inputs: minus its alpha times its scale.
_SATURATION = -1.6732632423543772 * 1.0507009873554805


@register
class AlphaDropout(DropIn, keras.layers.AlphaDropout):
    """Keras' `AlphaDropout`, faster, and the same on every backend.

    For networks of SELU units. In training, an input becomes with probability
    `rate` what SELU tends to for small inputs, `s = -1.758`, and then all are
    scaled and shifted, so that mean 0 and variance 1 stay:

        y = a * (m * x + (1 - m) * s) + b,   m ~ Bernoulli(1 - rate),
        a = ((1 - rate) * (1 + rate * s ** 2)) ** -0.5,   b = -a * rate * s.

    At inference it is the identity. Its draws are made like those of
    `Dropout`.

    Args:
        rate: Probability that an input is dropped, in [0, 1).
        noise_shape: Shape of the mask, with `None` for sizes of the input's.
            Defaults to `None`, each input by itself.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        A tensor of any rank.

    Output shape:
        As the input.

    Examples:
        >>> layer = AlphaDropout(0.2, seed=0)
        >>> x = np.random.default_rng(0).normal(size=(100, 100))
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> abs(float(y.std()) - 1) < 0.05
        True

    References:
        Klambauer et al. 2017, Self-normalizing neural networks
        (arXiv 1706.02515).
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        in_range(self, "rate", rate)
        checked_by_keras(keras.layers.AlphaDropout, rate=rate)
        in_range(self, "rate", rate, below=1)
        super().__init__(seed, **kwargs)
        self.rate = rate
        self.noise_shape = checked_noise_shape(self, noise_shape)
        self.draws_once_for_a_batch = shares_examples(self.noise_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        check_floats(self, inputs.dtype)
        rate = _elementwise.number(self.rate)
        scale = ((1 - rate) * (1 + rate * _SATURATION**2)) ** -0.5
        shift = -scale * _SATURATION * rate
        key, fill = next_key(self.seed_generator), scale * _SATURATION + shift
        shape = full_shape(self, inputs, self.noise_shape)
        if shape is None:
            line = (scale, shift)
            return _elementwise.dropped(inputs, key, rate, line, fill)
        ones = ops.ones(shape, dtype=inputs.dtype)
        mask = _elementwise.dropped(ones, key, rate, (1.0, 0.0))
        scale, shift, fill = (
            ops.cast(number, inputs.dtype) for number in (scale, shift, fill)
        )
        return inputs * (mask * scale) + mask * shift + (1 - mask) * fill
