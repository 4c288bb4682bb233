from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import in_range, one_of, positive_int
from keras_regopt.layers._base import Layer
from keras_regopt.layers._sampling import dropout_factors


@register
class StochasticDepth(Layer):
    """Drops the whole branch of a residual block, per example or per batch.

    In training, each example of the batch is set to zero with probability
    `rate`, and the others are divided by `1 - rate`, so that the expected
    value stays. Put it at the end of the branch, before the addition:
    `x + StochasticDepth(0.1)(branch(x))`. The network trains as a mixture of
    shallower ones. Deeper blocks take a higher rate, usually in proportion to
    their depth: see `linear_depth_rates`. At inference it is the identity.

    Args:
        rate: Probability that a branch is dropped, in [0, 1). Defaults to
            `0.1`.
        mode: `"row"` to draw for each example by itself, or `"batch"` to keep
            or drop the branch for the whole batch, as the paper does. Defaults
            to `"row"`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        A tensor of any rank, the batch in the first axis.

    Output shape:
        As the input.

    Examples:
        >>> layer = StochasticDepth(rate=0.5, seed=1)
        >>> x = np.ones((4, 2), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> sorted({float(v) for v in y.ravel()})
        [0.0, 2.0]

    References:
        Huang et al. 2016, Deep networks with stochastic depth
        (arXiv 1603.09382); the form with division in training is that of timm's
        `DropPath`, the two modes are those of torchvision.
    """

    passes_channels = True

    search_space = {"rate": Range(0.0, 0.5)}

    def __init__(
        self,
        rate: float = 0.1,
        mode: str = "row",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.mode = one_of(self, "mode", mode, ("row", "batch"))
        self.draws_once_for_a_batch = mode == "batch"
        self._take_seed(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        rows = ops.shape(inputs)[0] if self.mode == "row" else 1
        shape = (rows,) + (1,) * (len(inputs.shape) - 1)
        return inputs * dropout_factors(self, shape, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


def linear_depth_rates(rate: float, depth: int) -> list[float]:
    """The rates of stochastic depth for the blocks of a network.

    Early blocks extract what all later ones need, so they are dropped less:
    block `l` of `L` is dropped with the probability `rate * l / L`.

    Args:
        rate: The rate of the last block, in [0, 1).
        depth: Number of blocks, at least 1.

    Returns:
        A list of `depth` numbers, the first block's first.

    Examples:
        >>> linear_depth_rates(0.5, 4)
        [0.125, 0.25, 0.375, 0.5]

    References:
        Huang et al. 2016, Deep networks with stochastic depth
        (arXiv 1603.09382), equation 4. timm begins with 0 instead, as
        `[0.0] + linear_depth_rates(rate, depth - 1)` does.
    """
    rate = in_range(linear_depth_rates, "rate", rate, low=0, below=1)
    depth = positive_int(linear_depth_rates, "depth", depth)
    return [rate * block / depth for block in range(1, depth + 1)]
