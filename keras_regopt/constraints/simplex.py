from keras import ops

from keras_regopt._axes import axes_within
from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.constraints._base import Constraint


@register
class Simplex(Constraint):
    """Projects weights onto the simplex: none negative, with a fixed sum.

    After each step, the weights along `axis` become the nearest point, in
    Euclidean distance, of the simplex

        w >= 0, sum(w) = total.

    Use it for mixing weights, attention over a few sources, or ensembles.
    Unlike a softmax, the projection gives exact zeros. It is exact, by sorting.

    Args:
        total: What the weights sum to, a number > 0. Defaults to `1.0`.
        axis: The axis of the sum, an integer. `0` sums the incoming weights of
            each unit of a `Dense` layer. Defaults to `0`.

    Raises:
        ValueError: If `total` is not positive, or `axis` no integer.

    Examples:
        >>> constraint = Simplex()
        >>> np.asarray(constraint(np.array([0.5, 1.0, -2.0]))).tolist()
        [0.25, 0.75, 0.0]

    References:
        Duchi et al. 2008, Efficient projections onto the l1-ball for learning
        in high dimensions, figure 1.
    """

    def __init__(self, total: float = 1.0, axis: int = 0):
        self.total = in_range(self, "total", total, above=0)
        self.axis = integer(self, "axis", axis)

    def project(self, w):
        (axis,) = axes_within(self, "axis", self.axis, w.shape)
        w = ops.moveaxis(w, axis, -1)
        falling = ops.flip(ops.sort(w, axis=-1), axis=-1)
        count = ops.cast(ops.arange(1, w.shape[-1] + 1), w.dtype)
        # What to subtract from each weight, by how many stay positive.
        excess = (ops.cumsum(falling, axis=-1) - self.total) / count
        stay = ops.sum(
            ops.cast(falling > excess, "int32"), axis=-1, keepdims=True
        )
        excess = ops.take_along_axis(excess, stay - 1, axis=-1)
        return ops.moveaxis(ops.maximum(w - excess, 0), -1, axis)
