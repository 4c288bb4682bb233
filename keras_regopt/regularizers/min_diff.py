import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range, one_of
from keras_regopt.regularizers._penalized_model import PenalizedModel
from keras_regopt.regularizers._slopes import rows


@register
class MinDiff(PenalizedModel):
    """A model that trains to predict alike for two groups of people.

    Added to the loss is `rate` times a measure of how far the distributions
    of the predictions for the two groups are apart in the batch. For the
    kernels `"gaussian"` and `"laplacian"` it is the squared maximum mean
    discrepancy,

        mean(k(a, a')) - 2 * mean(k(a, b)) + mean(k(b, b')),

    over the predictions `a` for one group and `b` for the other, where `k` is
    `exp(-||a - b|| ** 2 / length ** 2)` or `exp(-||a - b|| / length)`. For
    `"correlation"` it is the absolute correlation of group and prediction,
    the mean over several outputs.

    The group comes with the inputs, in a dict:

        model.fit({"inputs": x, "group": group}, y)

    `x` is what the model within takes, `group` one number for each example:
    1 in the group, 0 in the other one, and -1 where the example should not
    count. So, for equal false positive rates, give a group to the negatives
    alone. Examples that are there for the gap only, without a label, take any
    label and the `sample_weight` 0. To predict and to evaluate, `x` alone
    will do. Where a batch lacks a group there is nothing to compare, so make
    batches large, or draw them with both groups in them. See the guide for
    what all penalties of this kind have in common.

    Args:
        model: The model to train, built or not.
        rate: Strength of the penalty, a number >= 0. Defaults to `1.0`.
        kernel: `"gaussian"`, the default, `"laplacian"` or `"correlation"`.
        length: Distance of predictions over which the first two kernels
            reach, above 0. The predictions' standard deviation is a good first
            guess. Defaults to `0.1`, which suits probabilities.
        from_logits: Whether the model ends in logits, which are turned into
            probabilities first: by softmax along the last axis, or by the
            sigmoid where it is one. Defaults to `False`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: In training, if the inputs do not contain the group.

    Examples:
        >>> layers = [keras.Input((2,)), keras.layers.Dense(1, "sigmoid")]
        >>> model = MinDiff(keras.Sequential(layers), rate=2.0)
        >>> model.compile("sgd", "binary_crossentropy")
        >>> x, y = np.eye(4, 2), np.array([[0], [1], [0], [1]])
        >>> inputs = {"inputs": x, "group": np.array([0, 1, 1, 0])}
        >>> history = model.fit(inputs, y, verbose=0)
        >>> model.predict(x, verbose=0).shape
        (4, 1)

    References:
        Prost et al. 2019, Toward a better trade-off between performance and
        fairness with kernel-based distribution matching (arXiv 1910.11779);
        Beutel et al. 2019 (arXiv 1901.04562) for the correlation; TensorFlow
        Model Remediation, whose losses of MinDiff these are.
    """

    def __init__(
        self,
        model: keras.Model,
        rate: float = 1.0,
        kernel: str = "gaussian",
        length: float = 0.1,
        from_logits: bool = False,
        **kwargs,
    ):
        super().__init__(model, rate, **kwargs)
        kernels = ("gaussian", "laplacian", "correlation")
        self.kernel = one_of(self, "kernel", kernel, kernels)
        self.length = in_range(self, "length", length, above=0)
        self.from_logits = boolean(self, "from_logits", from_logits)
        self.build_as_within()

    def run(self, inputs, training=None):
        return super().run(_without_group(inputs), training)

    def penalty(self, batch):
        if not _has_group(batch.x):
            raise ValueError(
                "In training, `x` of MinDiff must be a dict "
                '{"inputs": ..., "group": ...}. Received: '
                f"{keras.tree.map_structure(lambda leaf: '*', batch.x)}"
            )
        group = ops.reshape(batch.x["group"], (-1,))
        ours = ops.cast(ops.equal(group, 1), "float32")
        theirs = ops.cast(ops.equal(group, 0), "float32")
        y_pred = [
            rows(self._probabilities(y))
            for y in keras.tree.flatten(batch.y_pred)
        ]
        y_pred = ops.concatenate(y_pred, axis=-1)
        if self.kernel == "correlation":
            return _correlation(y_pred, ours, theirs)
        return _discrepancy(self._kernel(y_pred), ours, theirs)

    def _probabilities(self, y_pred):
        if not self.from_logits:
            return y_pred
        y_pred = ops.cast(y_pred, "float32")
        if y_pred.shape[-1] == 1:
            return ops.sigmoid(y_pred)
        return ops.softmax(y_pred, axis=-1)

    def _kernel(self, y_pred):
        """The kernel of each prediction with each other one."""
        differences = y_pred[:, None, :] - y_pred[None, :, :]
        squares = ops.sum(ops.square(differences), axis=-1)
        if self.kernel == "gaussian":
            return ops.exp(-squares / self.length**2)
        # The root has no finite slope at zero, and near it only rounding errors
        # tell its direction: compilers compute the distance of a prediction to
        # itself from two slightly different roundings of it.
        apart = squares > (1e-5 * self.length) ** 2
        norms = ops.sqrt(ops.where(apart, squares, 1.0))
        return ops.exp(-ops.where(apart, norms, 0.0) / self.length)


def _has_group(inputs):
    return isinstance(inputs, dict) and set(inputs) == {"inputs", "group"}


def _without_group(inputs):
    return inputs["inputs"] if _has_group(inputs) else inputs


def _discrepancy(kernel, ours, theirs):
    def mean(left, right):
        pairs = ops.sum(left) * ops.sum(right)
        total = ops.sum(left[:, None] * kernel * right[None, :])
        return total / ops.maximum(pairs, 1.0)

    gap = mean(ours, ours) - 2 * mean(ours, theirs) + mean(theirs, theirs)
    both = ops.sum(ours) * ops.sum(theirs) > 0
    return ops.where(both, gap, 0.0)


def _correlation(y_pred, ours, theirs):
    weights = (ours + theirs)[:, None]
    weights = weights / ops.maximum(ops.sum(weights), 1.0)

    def centered(x):
        return x - ops.sum(weights * x, axis=0)

    group, y_pred = centered(ours[:, None]), centered(y_pred)
    covariance = ops.sum(weights * group * y_pred, axis=0)
    variances = ops.sum(weights * ops.square(group), axis=0) * ops.sum(
        weights * ops.square(y_pred), axis=0
    )
    # The root has no finite slope at zero, so it is kept away from there.
    vary = variances > 0
    norms = ops.sqrt(ops.where(vary, variances, 1.0))
    return ops.mean(ops.abs(ops.where(vary, covariance / norms, 0.0)))
