from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.engine._norms import global_norm, norm
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)


@register
class GradientNormalization(GradientTransformation):
    """Divides the gradients by their Euclidean norm.

    Their direction stays, their length becomes 1: around `SGD`, every step has
    the length of the learning rate. Use it where gradients are so uneven over
    the training that no one rate fits, as in recurrent networks; let the rate
    fall towards the end, since the steps do not become shorter by themselves.

    Args:
        per_variable: Whether each variable is divided by the norm of its own
            gradient, instead of all by their common norm. Defaults to `False`.
        epsilon: Number > 0 that is added to the norm. Defaults to `1e-6`.

    Examples:
        >>> from keras_regopt.optimizers import Transformed
        >>> inner = keras.optimizers.SGD(1.0)
        >>> optimizer = Transformed(inner, [GradientNormalization()])
        >>> weight = keras.Variable([0.0, 0.0])
        >>> gradient = keras.ops.convert_to_tensor([30.0, 40.0])
        >>> optimizer.apply([gradient], [weight])
        >>> (10 * weight.numpy()).round(4).tolist()
        [-6.0, -8.0]

    References:
        Hazan et al. 2015, Beyond convexity: stochastic quasi-convex
        optimization (arXiv 1507.02030).
    """

    def __init__(self, per_variable: bool = False, epsilon: float = 1e-6):
        self.per_variable = boolean(self, "per_variable", per_variable)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def transform_gradients(self, gradients, variables, step, state):
        if self.per_variable:
            norms = [norm(gradient) for gradient in gradients]
        else:
            norms = [global_norm(gradients)] * len(gradients)
        return [
            gradient * ops.cast(1 / (size + self.epsilon), gradient.dtype)
            for gradient, size in zip(gradients, norms, strict=True)
        ]
