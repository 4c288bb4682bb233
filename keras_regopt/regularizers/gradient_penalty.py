import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.regularizers._penalized_model import PenalizedModel
from keras_regopt.regularizers._slopes import square_norms


@register
class GradientPenalty(PenalizedModel):
    """A model that trains with a penalty on the loss's gradient by the inputs.

    Small changes of the inputs then change the loss little. Where
    `JacobianPenalty` acts on all outputs, this one acts on the loss alone,
    exactly and by one more backward pass ("double backpropagation"). Added to
    the loss is

        rate / 2 * mean(||dl / dx|| ** 2),

    the mean over the batch, where `l` is the loss of a single example and `x`
    are all its inputs. `l` is the loss given to `compile`, with its weights;
    other losses, such as those of regularizers, do not count. See the guide
    for what all penalties of this kind have in common.

    Args:
        model: The model to train, built or not. Its inputs, or some of them,
            are of a float dtype.
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: In training, if no input is of a float dtype or the loss is
            neither a mean nor a sum over the batch.

    Examples:
        >>> inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model = GradientPenalty(inner, rate=0.1)
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        >>> sorted(history.history)
        ['loss', 'penalty']

    References:
        Drucker and LeCun 1992, Improving generalization performance using
        double backpropagation; Ross and Doshi-Velez 2018 (arXiv 1711.09404),
        who call it input gradient regularization.
    """

    differentiates_twice = True

    def __init__(self, model: keras.Model, rate: float = 0.01, **kwargs):
        super().__init__(model, rate, **kwargs)
        self.build_as_within()

    def penalty(self, batch):
        # The loss of one example has no slope by the inputs of another.
        squares = square_norms(batch.loss_slopes())
        if self._is_mean(batch.compiled_loss):
            squares = squares * ops.square(ops.cast(batch.size, "float32"))
        return ops.mean(squares) / 2

    def _is_mean(self, losses):
        """Whether the loss is a mean over the batch, and not a sum."""
        reductions = {
            getattr(loss, "reduction", "sum_over_batch_size")
            for loss in keras.tree.flatten(losses)
        }
        means = {"sum_over_batch_size", "mean", "mean_with_sample_weight"}
        if reductions != {"sum"} and not reductions <= means:
            fail(
                self,
                "loss",
                "means over the batch, or sums over the batch",
                sorted(map(str, reductions)),
                "Give all losses the reduction 'sum_over_batch_size'.",
            )
        return reductions != {"sum"}
