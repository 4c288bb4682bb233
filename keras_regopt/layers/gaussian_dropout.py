import math

import keras
from keras import ops

from keras_regopt import _elementwise
from keras_regopt._random import next_key
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import in_range
from keras_regopt.layers._drop_in import DropIn, checked_by_keras
from keras_regopt.layers._sampling import check_floats


@register
class GaussianDropout(DropIn, keras.layers.GaussianDropout):
    """Keras' `GaussianDropout`, faster, and the same on every backend.

    In training, each input is multiplied by a normal number of mean 1 and
    standard deviation `sqrt(rate / (1 - rate))`, as many as the factors of
    `Dropout` have. At inference it is the identity. Its draws are made like
    those of `Dropout`.

    Args:
        rate: Rate of the `Dropout` with as much noise, in [0, 1).
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        A tensor of any rank.

    Output shape:
        As the input.

    Examples:
        >>> layer = GaussianDropout(0.2, seed=0)
        >>> x = np.ones((100, 100), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> abs(float(y.std()) - 0.5) < 0.02
        True

    References:
        Srivastava et al. 2014, Dropout: a simple way to prevent neural networks
        from overfitting, section 10.
    """

    search_space = {"rate": Range(0.0, 0.8)}

    def __init__(self, rate: float, seed: int | None = None, **kwargs):
        in_range(self, "rate", rate)
        checked_by_keras(keras.layers.GaussianDropout, rate=rate)
        in_range(self, "rate", rate, below=1)
        super().__init__(seed, **kwargs)
        self.rate = rate

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        check_floats(self, inputs.dtype)
        rate = _elementwise.number(self.rate)
        sqrt = math.sqrt if isinstance(rate, float) else ops.sqrt
        key = next_key(self.seed_generator)
        return _elementwise.scaled_by_normals(
            inputs, key, sqrt(rate / (1 - rate))
        )
