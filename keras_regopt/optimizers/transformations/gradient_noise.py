from keras import ops

from keras_regopt._elementwise import with_normals_added
from keras_regopt._keras import make_default_seed
from keras_regopt._random import folded_seed, signed
from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)


@register
class GradientNoise(GradientTransformation):
    """Adds Gaussian noise that fades out to the gradients.

    At step `t` (from 0), the variance of the noise is

        eta / (1 + t) ** gamma.

    Noise helps very deep or hard to train networks to leave a bad start and
    flat stretches of the loss; with adaptive optimizers it also acts as
    exploration. It is large compared with the gradients of a network that
    trains well already, so begin with a small `eta`.

    Every variable and step has noise of its own, which follows from the seed
    and the step alone: it is the same on all replicas and backends, and goes on
    after a reload as if there had been none.

    Args:
        eta: Variance of the noise at the first step, a number >= 0. The
            authors use `0.01`, `0.3` and `1.0`. Defaults to `0.01`.
        gamma: How fast the variance falls, a number >= 0. Defaults to `0.55`.
        seed: Integer >= 0 that makes the noise repeatable. By default it is
            drawn at construction and becomes part of the configuration.

    Examples:
        >>> from keras_regopt.optimizers import Transformed
        >>> inner = keras.optimizers.SGD(0.01)
        >>> optimizer = Transformed(inner, [GradientNoise(0.3, seed=1)])
        >>> optimizer.transformations[0].seed
        1

    References:
        Neelakantan et al. 2015, Adding gradient noise improves learning for
        very deep networks (arXiv 1511.06807).
    """

    def __init__(
        self, eta: float = 0.01, gamma: float = 0.55, seed: int | None = None
    ):
        self.eta = in_range(self, "eta", eta, low=0)
        self.gamma = in_range(self, "gamma", gamma, low=0)
        seed = make_default_seed() if seed is None else seed
        self.seed = integer(self, "seed", seed, low=0)

    def transform_gradients(self, gradients, variables, step, state):
        time = ops.cast(step, "float32") + 1
        stddev = ops.sqrt(self.eta / ops.power(time, self.gamma))
        seed = ops.convert_to_tensor(signed(folded_seed(self.seed)), "int32")
        first = ops.cast(step, "int32") * len(gradients)
        return [
            with_normals_added(gradient, ops.stack([seed, first + i]), stddev)
            for i, gradient in enumerate(gradients)
        ]
