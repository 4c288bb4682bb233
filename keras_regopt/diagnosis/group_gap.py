import keras
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer, one_of

# The metrics, and whether the highest value is the best one.
HIGHER_IS_BETTER = {
    "accuracy": True,
    "positive_rate": True,
    "false_positive_rate": False,
    "false_negative_rate": False,
    "squared_error": False,
    "absolute_error": False,
}


@register
class GroupGap(SignatureConfig, keras.metrics.Metric):
    """Gap of a metric between groups, such as groups of people.

    It averages the metric for each group over all batches and reports the gap
    between the best and the worst group, or one of the two. Groups without an
    example do not count.

    Keras gives metrics the targets and the predictions alone. In a loop of
    your own, or on what `predict` returned, give the group to `update_state`.
    In `compile`, it is the last column of the targets, which the loss must
    then leave out; `GroupMonitor` needs no such column.

    Args:
        metric: The metric of each group: `"accuracy"`, the default, for
            classes as integers, one-hot, or as one probability; of one
            probability for two classes, `"positive_rate"` (the fraction that is
            predicted as positive; lower is worse), `"false_positive_rate"`
            (of the negatives) or `"false_negative_rate"` (of the positives);
            `"squared_error"` or `"absolute_error"`.
        groups: The number of groups, at least 2, which are numbered from 0.
            Examples with any other number do not count. Defaults to `2`.
        report: `"gap"`, the default, `"worst"` or `"best"`.
        threshold: Above it, one probability means the positive class.
            Defaults to `0.5`; for logits take `0`.
        **kwargs: Keras' arguments of every metric, `name` (the default puts
            report and metric together) and `dtype`.

    Raises:
        ValueError: In an update, if the metric does not fit the predictions.

    Examples:
        >>> gap = GroupGap("accuracy", groups=2)
        >>> y, y_pred = np.array([1, 1, 0, 0]), np.array([0.9, 0.2, 0.1, 0.4])
        >>> gap.update_state(y, y_pred, group=np.array([0, 1, 1, 0]))
        >>> float(gap.result())
        0.5
        >>> [float(value) for value in gap.by_group()]
        [1.0, 0.5]

    References:
        Hardt, Price and Srebro 2016, Equality of opportunity in supervised
        learning (arXiv 1610.02413), for the gaps of the false rates.
    """

    def __init__(
        self,
        metric: str = "accuracy",
        groups: int = 2,
        report: str = "gap",
        threshold: float = 0.5,
        **kwargs,
    ):
        one_of(self, "metric", metric, tuple(HIGHER_IS_BETTER))
        one_of(self, "report", report, ("gap", "worst", "best"))
        if kwargs.get("name") is None:
            kwargs["name"] = f"{report}_{metric}"
        super().__init__(**kwargs)
        self.metric = metric
        self.groups = integer(self, "groups", groups, low=2)
        self.report = report
        self.threshold = in_range(self, "threshold", threshold)
        # Sums, which add up over batches and devices.
        self.totals, self.counts = (
            self.add_variable((self.groups,), "zeros", name=name)
            for name in ("totals", "counts")
        )

    def _keras_config(self):
        return keras.metrics.Metric.get_config(self)

    def update_state(self, y_true, y_pred, sample_weight=None, group=None):
        """Adds a batch.

        Args:
            y_true: The targets, with the group as their last column if
                `group` is `None`.
            y_pred: The predictions, of shape `(examples,)` or
                `(examples, outputs)`.
            sample_weight: The weight of each example, or `None`.
            group: The number of each example's group, or `None`.
        """
        y_true, y_pred = self._rows(y_true), self._rows(y_pred)
        if group is None:
            y_true, group = y_true[:, :-1], y_true[:, -1:]
        numbers = ops.arange(self.groups, dtype=self.dtype)
        members = ops.equal(self._rows(group), numbers[None, :])
        values, weights = self._values(y_true, y_pred)
        if sample_weight is not None:
            weights = weights * self._rows(sample_weight)[:, 0]
        members = ops.cast(members, self.dtype) * weights[:, None]
        self.totals.assign_add(ops.sum(members * values[:, None], axis=0))
        self.counts.assign_add(ops.sum(members, axis=0))

    def result(self):
        """The gap, or the value of one group; zero before any example."""
        seen = self.counts > 0
        values = ops.divide_no_nan(self.totals, self.counts)
        highest = ops.max(ops.where(seen, values, -float("inf")))
        lowest = ops.min(ops.where(seen, values, float("inf")))
        if self.report == "gap":
            result = highest - lowest
        elif (self.report == "best") == HIGHER_IS_BETTER[self.metric]:
            result = highest
        else:
            result = lowest
        return ops.where(ops.any(seen), result, 0.0)

    def by_group(self):
        """The value of each group.

        Returns:
            A tensor of shape `(groups,)`, not a number where a group has no
            example.
        """
        values = ops.divide_no_nan(self.totals, self.counts)
        return ops.where(self.counts > 0, values, float("nan"))

    def row_values(self, y_true, y_pred):
        """The value of each example, and its weight of one or zero.

        Args:
            y_true: The targets, without a group.
            y_pred: The predictions.

        Returns:
            Two tensors of shape `(examples,)`.
        """
        return self._values(self._rows(y_true), self._rows(y_pred))

    def _rows(self, x):
        x = ops.cast(x, self.dtype)
        return x[:, None] if len(x.shape) == 1 else x

    def _values(self, y_true, y_pred):
        """The value and the weight of each example."""
        if self.metric.endswith("error"):
            misses = ops.abs(y_true - y_pred)
            if self.metric == "squared_error":
                misses = ops.square(misses)
            values = ops.mean(misses, axis=-1)
            return values, ops.ones_like(values)
        if y_pred.shape[-1] == 1:
            positive = ops.cast(y_true[:, 0] > 0.5, self.dtype)
            predicted = ops.cast(y_pred[:, 0] > self.threshold, self.dtype)
            ones = ops.ones_like(predicted)
            return {
                "accuracy": (1 - ops.abs(positive - predicted), ones),
                "positive_rate": (predicted, ones),
                "false_positive_rate": (predicted, 1 - positive),
                "false_negative_rate": (1 - predicted, positive),
            }[self.metric]
        if self.metric != "accuracy":
            fail(
                self,
                "metric",
                f"'accuracy' or an error for {y_pred.shape[-1]} outputs",
                self.metric,
                "Give it the one probability of the positive class.",
            )
        labels = y_true[:, 0]
        if y_true.shape[-1] > 1:
            labels = ops.cast(ops.argmax(y_true, axis=-1), self.dtype)
        best = ops.cast(ops.argmax(y_pred, axis=-1), self.dtype)
        values = ops.cast(ops.equal(labels, best), self.dtype)
        return values, ops.ones_like(values)
