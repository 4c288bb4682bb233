import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.layers._base import Layer


@register
class StochasticDepth(Layer):
    """Drops the whole branch of a residual block, per example.

    In training, each example of the batch is set to zero with probability
    `rate`, and the others are divided by `1 - rate`, so that the expected
    value stays. Put it at the end of the branch, before the addition:
    `x + StochasticDepth(0.1)(branch(x))`. The network trains as a mixture of
    shallower ones. Deeper blocks take a higher rate, usually in proportion to
    their depth. At inference it is the identity.

    Args:
        rate: Probability that a branch is dropped, in [0, 1). Defaults to
            `0.1`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        A tensor of any rank, the batch in the first axis.

    Output shape:
        As the input.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> layer = StochasticDepth(rate=0.5, seed=0)
        >>> x = np.ones((4, 2), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> sorted({float(v) for v in y.ravel()})
        [0.0, 2.0]

    References:
        Huang et al. 2016, Deep networks with stochastic depth
        (arXiv 1603.09382); the form with division in training is that of timm's
        `DropPath`.
    """

    def __init__(self, rate=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.seed = integer(self, "seed", seed, low=0, optional=True)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        draws = keras.random.uniform(shape, seed=self.seed_generator)
        kept = ops.cast(draws >= self.rate, inputs.dtype)
        return inputs * kept / (1 - self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape
