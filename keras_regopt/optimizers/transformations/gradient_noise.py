import keras
import numpy as np
from keras import ops

from keras_regopt._keras import make_default_seed
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
    exploration. It is large beside the gradients of a network that trains well
    already, so begin with a small `eta`.

    Every variable and step has noise of its own, which follows from the seed
    and the step alone: it is the same on all replicas, and goes on after a
    reload as if there had been none. TensorFlow draws other numbers from the
    same seed under `jit_compile=True` than without.

    Args:
        eta: Variance of the noise at the first step, a number >= 0. The
            authors use `0.01`, `0.3` and `1.0`. Defaults to `0.01`.
        gamma: How fast the variance falls, a number >= 0. Defaults to `0.55`.
        seed: Integer >= 0 that makes the noise repeatable. By default it is
            drawn at construction and becomes part of the configuration.

    Raises:
        ValueError: If an argument is out of its range.

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
        self.seed = seed = integer(self, "seed", seed, low=0)
        # Mixed, since on torch neighbouring seeds would share their noise.
        self._stream = int(np.random.SeedSequence(seed).generate_state(1)[0])

    def transform_gradients(self, gradients, variables, step, state):
        time = ops.cast(step, "float32") + 1
        stddev = ops.sqrt(self.eta / ops.power(time, self.gamma))
        first = step * len(gradients)
        return [
            gradient
            + ops.cast(
                stddev * _normal(gradient.shape, self._stream, first + i),
                gradient.dtype,
            )
            for i, gradient in enumerate(gradients)
        ]


def _normal(shape, stream, count):
    """Standard normal numbers that follow from two integers."""
    # JAX has no int64 unless it is told to.
    dtype = "uint32" if keras.backend.backend() == "jax" else "int64"
    numbers = [ops.convert_to_tensor(stream, dtype), ops.cast(count, dtype)]
    return keras.random.normal(
        shape, dtype="float32", seed=_Seed(ops.stack(numbers))
    )


class _Seed(keras.random.SeedGenerator):
    """Two numbers in the form that Keras' random functions take."""

    def __init__(self, numbers):
        # No variable, for the numbers are known.
        self.numbers = numbers

    def next(self, ordered=True):
        return self.numbers
