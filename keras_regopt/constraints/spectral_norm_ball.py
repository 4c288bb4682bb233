from keras import ops

from keras_regopt._registry import register
from keras_regopt._spectral_norm import estimate
from keras_regopt._validate import in_range
from keras_regopt.constraints._base import Constraint

# The shorter side up to which eigenvalues are cheap compared with a train step.
LARGEST_EXACT = 64
# The estimate falls short of the norm by a little.
GUARD = 1.04


@register
class SpectralNormBall(Constraint):
    """Keeps the spectral norm of a weight, its largest gain, below a bound.

    A kernel is taken as the matrix that its last axis gives columns to, so a
    `Conv2D` kernel has a row for each entry of the window. With 1-Lipschitz
    activations, a network of `Dense` layers cannot then amplify a change of
    its input by more than the product of the radii; of a convolution this
    matrix gives a bound up to the size of its window. A vector, such as a bias,
    is scaled down to the length `radius`.

    - A matrix with a side of at most 64 is projected exactly, to the nearest
      one of the ball in Euclidean distance: after each step, singular values
      above `radius` become `radius`, and the others stay as they are.
    - The eigenvalues that this takes would cost a larger matrix many times as
      much as the rest of the train step. It is scaled as a whole instead, by
      `radius / norm` where the norm is larger. That is estimated by twelve
      steps of Lanczos' iteration and raised by 4%, so that the result is
      within the ball, or at most 1% outside; 4% to 8% below the radius, the
      scaling may begin. The estimate comes from a fixed random start: what
      holds for the matrices of training may fail for one that is made to be
      orthogonal to it.

    Args:
        radius: The bound, a number > 0. Defaults to `1.0`.

    Raises:
        ValueError: If `radius` is not positive.

    Examples:
        >>> constraint = SpectralNormBall(2.0)
        >>> w = constraint(np.array([[5.0, 0.0], [0.0, 1.0]]))
        >>> np.round(w, 5).tolist()
        [[2.0, 0.0], [0.0, 1.0]]

    References:
        Gouk et al. 2021, Regularisation of neural networks by enforcing
        Lipschitz continuity (arXiv 1804.04368), for the scaling; Parikh and
        Boyd 2014, Proximal algorithms, section 6.7.2, for the projection;
        Golub and Kahan 1965, Calculating the singular values and
        pseudo-inverse of a matrix, for the iteration.
    """

    def __init__(self, radius: float = 1.0):
        self.radius = in_range(self, "radius", radius, above=0)

    def project(self, w):
        matrix = ops.reshape(w, (-1, w.shape[-1] if len(w.shape) > 1 else 1))
        if min(matrix.shape) > LARGEST_EXACT:
            factor = self.radius / (GUARD * estimate(matrix))
            return w * ops.minimum(factor, 1.0)
        return ops.reshape(self._clipped(matrix), w.shape)

    def _clipped(self, matrix):
        """The nearest matrix whose singular values are within the radius."""
        wide = matrix.shape[0] < matrix.shape[1]
        if wide:
            matrix = ops.transpose(matrix)
        # Eigenvalues of the shorter side cost less than singular values.
        squares, vectors = ops.eigh(ops.matmul(ops.transpose(matrix), matrix))
        factors = self.radius / ops.sqrt(ops.maximum(squares, self.radius**2))
        inside = ops.matmul(
            ops.matmul(matrix, vectors) * factors, ops.transpose(vectors)
        )
        # A matrix within the ball stays as it is, to the last bit.
        matrix = ops.where(ops.all(factors >= 1), matrix, inside)
        return ops.transpose(matrix) if wide else matrix
