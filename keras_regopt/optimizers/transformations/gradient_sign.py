from keras import ops

from keras_regopt._registry import register
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)


@register
class GradientSign(GradientTransformation):
    """Keeps nothing but the sign of every entry of the gradients.

    Around `SGD` this is signSGD: every weight moves by the learning rate, so
    neither exploding nor tiny gradients matter. In front of momentum the
    entries of large and frequent gradients no longer drown the others. Rates
    must be smaller than those of `SGD`, of the order of those of `Adam`.

    Examples:
        >>> from keras_regopt.optimizers import Transformed
        >>> optimizer = Transformed(keras.optimizers.SGD(0.5), [GradientSign()])
        >>> weight = keras.Variable([1.0, 1.0, 1.0])
        >>> gradient = keras.ops.convert_to_tensor([100.0, 0.0, -0.01])
        >>> optimizer.apply([gradient], [weight])
        >>> weight.numpy().tolist()
        [0.5, 1.0, 1.5]

    References:
        Bernstein et al. 2018, signSGD: compressed optimisation for non-convex
        problems (arXiv 1802.04434).
    """

    def transform_gradients(self, gradients, variables, step, state):
        return [ops.sign(gradient) for gradient in gradients]
