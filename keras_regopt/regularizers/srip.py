import math

from keras import ops

from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._spectral_norm import start_vector
from keras_regopt._validate import in_range
from keras_regopt.regularizers._groups import sum_of_norms
from keras_regopt.regularizers._power import (
    FIRST_ITERATIONS,
    as_matrix,
    unit_vector,
)
from keras_regopt.regularizers._stateful import StatefulRegularizer


@register
class SRIP(StatefulRegularizer):
    """How far a weight is from having orthonormal columns.

    Keeps the outputs of a layer from being redundant, and signals and
    gradients from growing or fading, which makes deep networks easier to
    train. Of the paper's variants this is the last, the spectral restricted
    isometry property (SRIP); the others (SO, DSO, MC) take other norms of the
    same matrix. The penalty on a weight is

        rate * sigma(W^T W - I),

    where `W` is the weight as a matrix with a column for each output (the last
    axis), or its transpose if that has fewer columns, and `sigma` the spectral
    norm. As in the paper it comes from a power iteration of two products; the
    vector is not drawn again each time, but goes on from step to step and is
    saved with the model. At the first time, twenty iterations are made. The
    vector counts as a constant in the gradient. `W^T W` is never computed.

    Args:
        rate: Strength of the penalty, a number >= 0. The paper starts from
            0.1 and lowers it in the course of training; see `Scheduled`.
            Defaults to `0.01`.

    Raises:
        ValueError: If `rate` is negative.

    Examples:
        >>> penalty = SRIP(rate=0.1)
        >>> round(float(penalty(np.array([[0.0, 1.0], [1.0, 0.0]]))), 4)
        0.0
        >>> round(float(penalty(np.array([[0.0, 1.0], [3.0, 0.0]]))), 4)
        0.8

    References:
        Bansal et al. 2018, Can we gain more from orthogonality regularizations
        in training deep CNNs? (arXiv 1810.09102).
    """

    state_name = "eigenvector"

    def __init__(self, rate: float = 0.01):
        super().__init__()
        self.rate = in_range(self, "rate", rate, low=0)

    def state_shape(self, shape):
        return (_columns(shape),)

    def initial_state(self, x):
        matrix = as_matrix(at_least_single(x))
        vector = start_vector(_columns(x.shape), matrix.dtype)
        for _ in range(FIRST_ITERATIONS):
            vector = unit_vector(_excess(matrix, vector), otherwise=vector)
        return vector

    def next_state(self, x, state):
        matrix = ops.stop_gradient(as_matrix(at_least_single(x)))
        vector = ops.cast(state, matrix.dtype)
        return unit_vector(_excess(matrix, vector), otherwise=vector)

    def penalty(self, x, before, after):
        matrix = as_matrix(at_least_single(x))
        excess = _excess(matrix, ops.stop_gradient(after))
        return self.rate * sum_of_norms(excess)


def _excess(matrix, vector):
    """`(W^T W - I)` times a vector, with `W^T` for `W` if that is wider."""
    # XLA is slow with a transposed matrix on a CPU: from the left instead.
    if vector.shape[-1] == matrix.shape[-1]:
        image = ops.matmul(ops.matmul(matrix, vector), matrix)
    else:
        image = ops.matmul(matrix, ops.matmul(vector, matrix))
    return image - vector


def _columns(shape):
    """The smaller side of the matrix; activities may have an unknown one."""
    *rest, outputs = shape
    return outputs if None in rest else min(math.prod(rest), outputs)
