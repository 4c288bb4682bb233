from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.constraints._base import Constraint


@register
class SpectralNormBall(Constraint):
    """Keeps the spectral norm of a weight, its largest gain, below a bound.

    A kernel is taken as the matrix that its last axis gives columns to, so a
    `Conv2D` kernel has a row for each entry of the window. After each step,
    singular values above `radius` become `radius`, and the others stay as they
    are: the nearest matrix, in Euclidean distance, of the ball. With
    1-Lipschitz activations, a network of `Dense` layers cannot then amplify a
    change of its input by more than the product of the radii; of a convolution
    this matrix gives a bound up to the size of its window.

    The projection is exact and takes the eigenvalues of a square matrix as
    large as the shorter side, in each step. On a CPU that is cheap for the
    kernels of small convolutions, and for `Dense` layers of 256 units takes
    many times as long as the rest of the train step; compiled by TensorFlow's
    XLA, it takes hundreds of times as long: leave `jit_compile` off there. The
    benchmark of regularization has the figures. A vector, such as a bias, is
    scaled down to the length `radius`.

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
        Lipschitz continuity (arXiv 1804.04368), who scale all singular values
        instead; Parikh and Boyd 2014, Proximal algorithms, section 6.7.2, for
        the projection.
    """

    def __init__(self, radius: float = 1.0):
        self.radius = in_range(self, "radius", radius, above=0)

    def project(self, w):
        matrix = ops.reshape(w, (-1, w.shape[-1] if len(w.shape) > 1 else 1))
        wide = matrix.shape[0] < matrix.shape[1]
        if wide:
            matrix = ops.transpose(matrix)
        # Eigenvalues of the shorter side cost less than singular values.
        squares, vectors = ops.eigh(ops.matmul(ops.transpose(matrix), matrix))
        factors = self.radius / ops.sqrt(ops.maximum(squares, self.radius**2))
        inside = ops.matmul(
            ops.matmul(matrix, vectors) * factors, ops.transpose(vectors)
        )
        # What is within already stays as it is, to the last bit.
        matrix = ops.where(ops.all(factors >= 1), matrix, inside)
        if wide:
            matrix = ops.transpose(matrix)
        return ops.reshape(matrix, w.shape)
