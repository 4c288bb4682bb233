from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import integer
from keras_regopt.optimizers.engine._groups import exclusion, variable_path
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
    unit_axes,
)


@register
class GradientCentralization(GradientTransformation):
    """Moves the mean of the gradient of every unit to zero.

    From the gradient of each output of a layer, its mean over the inputs is
    subtracted. The weights of an output then keep their sum, which regularizes
    them and smooths the loss; it costs almost nothing. Use it where layers of
    many inputs are followed by normalization, above all in convolutional
    networks. Vectors and scalars, such as biases, stay as they are.

    A unit is what the last axis counts, as in the kernels of `Dense` and of
    convolutions, and a row of the `embeddings` of an `Embedding` layer. (optax
    and PyTorch put the outputs first, so there it is the first axis.)

    Args:
        min_rank: Weights of fewer axes are left alone, an integer of at least
            2. With `3`, only convolutions are centralized. Defaults to `2`.
        exclude: Optional regular expression on the end of the path of the
            variables to leave alone, as in `ParameterGroup`. Defaults to
            `None`.

    Raises:
        ValueError: If `exclude` is not a regular expression.

    Examples:
        >>> from keras_regopt.optimizers import Transformed
        >>> inner = keras.optimizers.SGD(1.0)
        >>> optimizer = Transformed(inner, [GradientCentralization()])
        >>> kernel = keras.Variable([[0.0], [0.0]])
        >>> gradient = keras.ops.convert_to_tensor([[5.0], [1.0]])
        >>> optimizer.apply([gradient], [kernel])
        >>> kernel.numpy().tolist()
        [[-2.0], [2.0]]

    References:
        Yong et al. 2020, Gradient centralization: a new optimization technique
        for deep neural networks (arXiv 2004.01461).
    """

    is_linear = True

    def __init__(self, min_rank: int = 2, exclude: str | None = None):
        self.min_rank = integer(self, "min_rank", min_rank, low=2)
        self._excluded = exclusion(self, exclude)
        self.exclude = exclude

    def transform_gradients(self, gradients, variables, step, state):
        return [
            self._centralized(gradient, variable)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def _centralized(self, gradient, variable):
        if len(variable.shape) < self.min_rank or self._excluded.matches(
            variable_path(variable)
        ):
            return gradient
        mean = ops.mean(gradient, axis=unit_axes(variable), keepdims=True)
        return gradient - mean
