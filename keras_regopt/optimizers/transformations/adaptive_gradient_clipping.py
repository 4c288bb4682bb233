import math

from keras import ops

from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._groups import exclusion, variable_path
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
    unit_axes,
)

# Keeps the gradient of a unit that has none from being divided by zero.
TINY = 1e-6


@register
class AdaptiveGradientClipping(GradientTransformation):
    """Clips the gradient of each unit in relation to the unit's own weights.

    How far a step moves a weight matters in relation to its size. For every
    unit (output) of a layer with weights `w` and gradient `g`,

        limit = clip_factor * max(norm(w), epsilon)
        g = g * limit / norm(g)  where norm(g) > limit.

    It keeps the training of networks without batch normalization stable at
    large batches and rates, where one threshold for all layers does not fit.

    A unit is what the last axis counts, as in the kernels of `Dense` and of
    convolutions, a row of the `embeddings` of an `Embedding` layer, and the
    whole of a vector or scalar. (timm and optax differ from this for weights
    of three axes alone.)

    Args:
        clip_factor: Largest ratio of a unit's gradient to its weights, a
            number > 0. The authors use `0.01` for large batches, more for small
            ones. Defaults to `0.01`.
        epsilon: Number > 0 that replaces smaller norms of weights, so that
            weights that start at zero can move. Defaults to `0.001`.
        exclude: Optional regular expression on the end of the path of the
            variables to leave alone, as in `ParameterGroup`. The authors leave
            out the last layer. Defaults to `None`.

    Raises:
        ValueError: If `exclude` is not a regular expression.

    Examples:
        >>> from keras_regopt.optimizers import Transformed
        >>> clipping = AdaptiveGradientClipping(0.1, exclude="head/.*")
        >>> optimizer = Transformed(keras.optimizers.SGD(1.0), [clipping])
        >>> kernel = keras.Variable([[3.0], [4.0]])
        >>> gradient = keras.ops.convert_to_tensor([[0.0], [2.0]])
        >>> optimizer.apply([gradient], [kernel])
        >>> kernel.numpy().tolist()
        [[3.0], [3.5]]

    References:
        Brock et al. 2021, High-performance large-scale image recognition
        without normalization (arXiv 2102.06171).
    """

    def __init__(
        self,
        clip_factor: float = 0.01,
        epsilon: float = 1e-3,
        exclude: str | None = None,
    ):
        self.clip_factor = in_range(self, "clip_factor", clip_factor, above=0)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self._excluded = exclusion(self, exclude)
        self.exclude = exclude

    def transform_gradients(self, gradients, variables, step, state):
        return [
            self._clipped(gradient, variable)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def _clipped(self, gradient, variable):
        if self._excluded.matches(variable_path(variable)):
            return gradient
        axes = unit_axes(variable)
        size = _unit_norm(ops.convert_to_tensor(variable), axes)
        # Unlike `maximum`, it leaves float64 as it is on torch.
        limit = self.clip_factor * ops.clip(size, self.epsilon, math.inf)
        slope = ops.clip(_unit_norm(gradient, axes), TINY, math.inf)
        factor = ops.clip(limit / slope, 0.0, 1.0)
        return gradient * ops.cast(factor, gradient.dtype)


def _unit_norm(x, axes):
    """The norms of the rows that belong to the units."""
    squares = ops.square(at_least_single(x))
    return ops.sqrt(ops.sum(squares, axis=axes, keepdims=True))
