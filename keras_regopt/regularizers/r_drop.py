import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean
from keras_regopt.regularizers._distributions import (
    divergence,
    log_probabilities,
)
from keras_regopt.regularizers._penalized_model import PenalizedModel


@register
class RDrop(PenalizedModel):
    """A classifier that trains to predict the same under all dropout masks.

    Each batch goes through the model twice, with different masks of dropout
    or other random layers. What is minimized is

        (l_1 + l_2) / 2 + rate * mean(KL(p_1 || p_2) + KL(p_2 || p_1)) / 2,

    where `l` is the loss given to `compile` and `p` the prediction of a pass.
    Without random layers the two passes agree and the penalty is zero.
    Metrics, other losses (such as those of regularizers) and the statistics
    of batch normalization come from the first pass. See the guide for what
    all penalties of this kind have in common.

    Args:
        model: The model to train, built or not. Each output is a distribution
            along its last axis, or, with a last axis of one, the probability
            of the second of two classes.
        rate: Strength of the penalty, a number >= 0. The paper takes 1 to 5
            for language and 0.6 for images. Defaults to `1.0`.
        from_logits: Whether the model ends in logits. Defaults to `False`.
        **kwargs: Keras' arguments of every model, such as `name`.


    Examples:
        >>> dropout = keras.layers.Dropout(0.5)
        >>> inner = keras.Sequential(
        ...     [keras.Input((2,)), dropout, keras.layers.Dense(3, "softmax")]
        ... )
        >>> model = RDrop(inner, rate=1.0)
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> history = model.fit(np.eye(2), np.array([0, 1]), verbose=0)
        >>> sorted(history.history)
        ['loss', 'penalty']

    References:
        Liang et al. 2021, R-Drop: regularized dropout for neural networks
        (arXiv 2106.14448). Its loss is twice this one; the authors' programs
        take the mean as well.
    """

    def __init__(
        self,
        model: keras.Model,
        rate: float = 1.0,
        from_logits: bool = False,
        **kwargs,
    ):
        super().__init__(model, rate, **kwargs)
        self.from_logits = boolean(self, "from_logits", from_logits)
        self.build_as_within()

    def terms(self, batch):
        second = batch.second_pass()
        log_p = log_probabilities(batch.y_pred, self.from_logits)
        log_q = log_probabilities(second, self.from_logits)
        both = divergence(log_p, log_q) + divergence(log_q, log_p)
        penalty = self.rate * ops.mean(both) / 2
        other_loss = (batch.loss(second) - batch.loss(batch.y_pred)) / 2
        return other_loss + penalty, penalty
