from keras import ops

from keras_regopt._registry import register
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)

# As in the authors' code: no step grows to more than a thousand times.
SMALLEST_FRACTION = 1e-3


@register
class CautiousMask(GradientTransformation):
    """Makes only those entries of a step that go down the present gradient.

    With momentum, some weights go on in their old direction although the
    gradient has turned already. Their updates are dropped, and those that are
    left are divided by the fraction that is left, variable by variable:

        mask = update * gradient < 0
        update = update * mask / max(mean(mask), 0.001).

    It speeds up any optimizer with momentum, such as `AdamW` or `Lion`, without
    a new number to choose. The wrapper cannot tell the weight decay of an
    optimizer from the rest of its step, so that is masked as well; the
    authors' code decays apart.

    Examples:
        >>> from keras_regopt.optimizers import Transformed
        >>> inner = keras.optimizers.SGD(1.0, momentum=1.0)
        >>> optimizer = Transformed(inner, [CautiousMask()])
        >>> weight = keras.Variable([0.0, 0.0])
        >>> for gradient in ([2.0, 2.0], [2.0, -1.0]):
        ...     gradient = keras.ops.convert_to_tensor(gradient)
        ...     optimizer.apply([gradient], [weight])
        >>> weight.numpy().tolist()
        [-10.0, -2.0]

    References:
        Liang et al. 2024, Cautious optimizers: improving training with one
        line of code (arXiv 2411.16085); the factor follows the authors' code,
        the paper has `size / (sum(mask) + 1)`.
    """

    def transform_updates(self, updates, gradients, variables, step, state):
        return [
            _masked(update, gradient)
            for update, gradient in zip(updates, gradients, strict=True)
        ]


def _masked(update, gradient):
    # By signs, since the product of two small numbers may vanish.
    signs = ops.sign(update) * ops.cast(ops.sign(gradient), update.dtype)
    mask = ops.cast(signs < 0, "float32")
    factor = mask / ops.maximum(ops.mean(mask), SMALLEST_FRACTION)
    return update * ops.cast(factor, update.dtype)
