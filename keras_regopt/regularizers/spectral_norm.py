from keras import ops

from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._spectral_norm import start_vector
from keras_regopt._validate import in_range, positive_int
from keras_regopt.regularizers._power import (
    FIRST_ITERATIONS,
    as_matrix,
    unit_vector,
)
from keras_regopt.regularizers._stateful import StatefulRegularizer


@register
class SpectralNorm(StatefulRegularizer):
    """Half the square of the largest singular value of a weight.

    Makes a network less sensitive to small changes of its input, without
    shrinking the directions that matter less. The penalty on a weight is

        rate / 2 * sigma ** 2,

    where `sigma` is the spectral norm of the weight as a matrix with a column
    for each output (the last axis; the kernel of a convolution is reshaped,
    as in the paper, which is not the norm of the convolution as an operator).
    `sigma` comes from a power iteration that goes on from step to step: the
    right singular vector is saved with the model. At the first time, twenty
    iterations are made. The vectors count as constants in the gradient, which
    is `rate * sigma * u v^T`.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        power_iterations: Iterations in each step, at least 1. Defaults to `1`.

    Examples:
        >>> penalty = SpectralNorm(rate=0.1)
        >>> round(float(penalty(np.array([[3.0, 0.0], [0.0, 4.0]]))), 3)
        0.8

    References:
        Yoshida and Miyato 2017, Spectral norm regularization for improving the
        generalizability of deep learning (arXiv 1705.10941), algorithm 1.
    """

    state_name = "right_singular_vector"

    def __init__(self, rate: float = 0.01, power_iterations: int = 1):
        super().__init__()
        self.rate = in_range(self, "rate", rate, low=0)
        self.power_iterations = positive_int(
            self, "power_iterations", power_iterations
        )

    def state_shape(self, shape):
        return shape[-1:]

    def initial_state(self, x):
        matrix = as_matrix(at_least_single(x))
        vector = start_vector(matrix.shape[-1], matrix.dtype)
        return _iterated(matrix, vector, FIRST_ITERATIONS)

    def next_state(self, x, state):
        matrix = ops.stop_gradient(as_matrix(at_least_single(x)))
        vector = ops.cast(state, matrix.dtype)
        return _iterated(matrix, vector, self.power_iterations)

    def penalty(self, x, before, after):
        matrix = as_matrix(at_least_single(x))
        image = ops.matmul(matrix, ops.stop_gradient(after))
        # The norm of the image of the vector is sigma.
        return self.rate / 2 * ops.sum(ops.square(image))


def _iterated(matrix, vector, iterations):
    for _ in range(iterations):
        # From the left, since XLA is slow with a transposed matrix on a CPU.
        image = ops.matmul(ops.matmul(matrix, vector), matrix)
        vector = unit_vector(image, otherwise=vector)
    return vector
