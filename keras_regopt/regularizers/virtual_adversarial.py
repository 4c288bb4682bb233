import keras
from keras import ops

from keras_regopt._autodiff import pullback
from keras_regopt._elementwise import normals
from keras_regopt._keeps_seed import KeepsSeed
from keras_regopt._random import next_key
from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range, positive_int
from keras_regopt.regularizers._distributions import (
    divergence,
    log_probabilities,
)
from keras_regopt.regularizers._penalized_model import PenalizedModel
from keras_regopt.regularizers._slopes import unit


@register
class VirtualAdversarial(KeepsSeed, PenalizedModel):
    """A classifier that trains against the worst small change of its inputs.

    Virtual adversarial training (VAT) makes the predicted distribution smooth
    around each example. Added to the loss is

        rate * mean(KL(p(x) || p(x + r))),   ||r|| = epsilon,

    the mean over the batch, where `p(x)`, the prediction, counts as constant
    and `r` is the change of this length, over all inputs of an example, that
    moves `p` most. It is found by power iteration: from a random `d`, each
    iteration makes

        d = g / ||g||,   g = the slope of KL(p(x) || p(x + r)) at r = xi * d,

    and in the end `r = epsilon * d`.

    It needs no labels, so it learns from unlabeled examples as well: give them
    any label and the `sample_weight` 0. See the guide for what all penalties of
    this kind have in common.

    Args:
        model: The model to train, built or not. Its inputs, or some of them,
            are of a float dtype; each output is a distribution along its last
            axis, or, with a last axis of one, the probability of the second
            of two classes.
        rate: Strength of the penalty, a number >= 0. Defaults to `1.0`.
        epsilon: Length of the change, in the unit of the inputs, above 0. It
            is what needs tuning. Defaults to `1.0`.
        xi: Length at which slopes are taken, above 0. The shorter, the more
            exact but for rounding; the default of `0.1` is far above the
            rounding of half precision.
        power_iterations: How many, at least 1. Defaults to `1`.
        from_logits: Whether the model ends in logits. Defaults to `False`.
        seed: Integer that makes the first directions repeatable, or `None`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: In training, if no input is of a float dtype.

    Examples:
        >>> inner = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Dense(3, "softmax")]
        ... )
        >>> model = VirtualAdversarial(inner, epsilon=0.5)
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> history = model.fit(np.eye(2), np.array([0, 1]), verbose=0)
        >>> sorted(history.history)
        ['loss', 'penalty']

    References:
        Miyato et al. 2018, Virtual adversarial training: a regularization
        method for supervised and semi-supervised learning (arXiv 1704.03976).
    """

    def __init__(
        self,
        model: keras.Model,
        rate: float = 1.0,
        epsilon: float = 1.0,
        xi: float = 0.1,
        power_iterations: int = 1,
        from_logits: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(model, rate, **kwargs)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.xi = in_range(self, "xi", xi, above=0)
        self.power_iterations = positive_int(
            self, "power_iterations", power_iterations
        )
        self.from_logits = boolean(self, "from_logits", from_logits)
        self._take_seed(seed)
        self.build_as_within()

    def penalty(self, batch):
        inputs = batch.float_inputs()
        log_p = log_probabilities(batch.y_pred, self.from_logits)
        log_p = [ops.stop_gradient(p) for p in log_p]

        def divergences(changes):
            moved = [
                x + ops.cast(change, x.dtype)
                for x, change in zip(inputs, changes, strict=True)
            ]
            y_pred = batch.first_pass_at(moved)
            log_q = log_probabilities(y_pred, self.from_logits)
            return divergence(log_p, log_q)

        direction = unit([self._normal(x) for x in inputs])
        for _ in range(self.power_iterations):
            change = [self.xi * d for d in direction]
            values, pull = pullback(divergences, change, twice=False)
            direction = unit(pull(ops.ones_like(values)))
        direction = [ops.stop_gradient(d) for d in direction]
        return ops.mean(divergences([self.epsilon * d for d in direction]))

    def _normal(self, x):
        return normals(next_key(self.seed_generator), ops.shape(x))
