import keras
from keras import ops

from keras_regopt._keeps_seed import KeepsSeed
from keras_regopt._registry import register
from keras_regopt._validate import positive_int
from keras_regopt.regularizers._penalized_model import PenalizedModel
from keras_regopt.regularizers._slopes import square_norms


@register
class JacobianPenalty(KeepsSeed, PenalizedModel):
    """A model that trains with a penalty on its input-output Jacobian.

    Small changes of the inputs, such as noise, then change the outputs
    little: the classes keep a margin around the training examples. Added to
    the loss is

        rate / 2 * mean(||J||_F ** 2),

    the mean over the batch, where `J` holds the derivatives of all outputs of
    an example by all its inputs. `||J||_F ** 2` is estimated without bias
    from random directions `v` of length 1 in the space of the `C` outputs:

        C / projections * sum(||transpose(J) v|| ** 2).

    It is taken of the outputs as they are: of logits as in the paper, if the
    model ends in logits. See the guide for what all penalties of this kind
    have in common.

    Args:
        model: The model to train, built or not. Its inputs, or some of them,
            are of a float dtype.
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        projections: How many random directions are drawn for each batch, at
            least 1, or `None` for the exact norm, which takes as many backward
            passes as the model has outputs. Defaults to `1`.
        seed: Integer that makes the directions repeatable, or `None`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: In training, if no input is of a float dtype.

    Examples:
        >>> inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> model = JacobianPenalty(inner, rate=0.1)
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
        >>> sorted(history.history)
        ['loss', 'penalty']

    References:
        Hoffman, Roberts and Yaida 2019, Robust learning with Jacobian
        regularization (arXiv 1908.02729); Sokolic et al. 2017, Robust large
        margin deep neural networks (arXiv 1605.08254).
    """

    differentiates_twice = True

    def __init__(
        self,
        model: keras.Model,
        rate: float = 0.01,
        projections: int | None = 1,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(model, rate, **kwargs)
        self.projections = positive_int(
            self, "projections", projections, optional=True
        )
        self._take_seed(seed)
        self.build_as_within()

    def penalty(self, batch):
        outputs, pull = batch.output_slopes()
        width = outputs.shape[-1]
        if self.projections is None:
            directions = [_axis(outputs, index) for index in range(width)]
            scale = 1.0
        else:
            directions = [
                self._direction(outputs) for _ in range(self.projections)
            ]
            scale = width / self.projections
        squares = sum(square_norms(pull(v)) for v in directions)
        return scale * ops.mean(squares) / 2

    def _direction(self, outputs):
        normal = keras.random.normal(
            ops.shape(outputs), dtype="float32", seed=self.seed_generator
        )
        return ops.normalize(normal, axis=-1)


def _axis(outputs, index):
    axis = ops.one_hot(index, outputs.shape[-1], dtype="float32")
    return ops.broadcast_to(axis, ops.shape(outputs))
