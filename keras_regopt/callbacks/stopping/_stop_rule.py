import math

from keras_regopt._validate import fail


class StopRule:
    """When one metric gives cause to end the training.

    Args:
        metric: The `MonitoredMetric`.
        criteria: List of `StoppingCriterion` objects.
        patience: How long to wait for an improvement; `None` plays no part.
        unit: The unit of it, for the message.
        check_finite: Whether NaN and infinity are an alarm.
        baseline: Optional number, which alone resets the wait.
        stopping_threshold: Optional number, to be better than.
        divergence_threshold: Optional number, to be worse than.

    Attributes:
        improved: Whether the last value that was looked at is the best one.
        cause: Why to stop, in words, or `None`.
        alarm: Why to stop whatever the other metrics say, or `None`.
    """

    def __init__(
        self,
        metric,
        criteria,
        patience,
        unit,
        check_finite,
        baseline,
        stopping_threshold,
        divergence_threshold,
    ):
        self.metric = metric
        self.criteria = criteria
        self.patience = patience
        self.unit = unit
        self.check_finite = check_finite
        self.baseline = baseline
        self.stopping_threshold = stopping_threshold
        self.divergence_threshold = divergence_threshold

    def refuse_contradictions(self, owner):
        """Checks what can be checked so far; see `Monitor.direction_found`.

        Args:
            owner: The callback, for the error.

        Raises:
            ValueError: If the arguments contradict each other.
        """
        metric = self.metric
        names = list(metric.terms)
        for criterion in self.criteria:
            if criterion.needs_training and not any(
                name.startswith("val_") for name in names
            ):
                fail(
                    owner,
                    "criterion",
                    "one that needs no training data, unless the monitor "
                    "begins with 'val_'",
                    type(criterion).__name__,
                    f"The monitor is {metric.label!r}.",
                )
        stop, diverge = self.stopping_threshold, self.divergence_threshold
        if None in (stop, diverge, metric.monitor_op):
            return
        if metric.loss_of(stop) >= metric.loss_of(diverge):
            better = "below" if metric.loss_of(1) == 1 else "above"
            fail(
                owner,
                "stopping_threshold",
                f"{better} the divergence_threshold {diverge:g}",
                stop,
            )

    def look(self, epoch, logs, value, passed):
        """Takes note of an epoch; sets the attributes.

        Args:
            epoch: Its number.
            logs: Its logs.
            value: The value of the metric, or `None` if there is none.
            passed: What of the patience has passed since the last value.
        """
        metric = self.metric
        self.improved, self.cause, self.alarm = False, None, None
        if value is not None:
            value = metric.smoothed(value, "value")
            self.alarm = self._alarm(value)
        self.cause = self._criterion_met(logs, value)
        if value is None or self.alarm:
            return
        metric.seen += 1
        metric.wait += passed
        if metric.is_better(value, metric.best):
            self.improved = True
            metric.keep(epoch, value)
            if self.baseline is None or metric.is_better(value, self.baseline):
                metric.wait = 0
        elif self._is_out_of_patience(epoch):
            unit = self.unit.removesuffix("s" if metric.wait == 1 else "")
            self.cause = (
                f"{metric.label} has not improved for {metric.wait:g} {unit}"
            )
        if self.stopping_threshold is not None and metric.loss_of(
            value
        ) < metric.loss_of(self.stopping_threshold):
            self.cause = (
                f"{metric.label} has reached {value:g} and so passed the "
                f"stopping threshold {self.stopping_threshold:g}"
            )

    def _alarm(self, value):
        metric = self.metric
        if self.check_finite and not math.isfinite(value):
            return f"{metric.label} is {value}"
        if self.divergence_threshold is not None and metric.loss_of(
            value
        ) > metric.loss_of(self.divergence_threshold):
            return (
                f"{metric.label} is {value:g}, beyond the divergence "
                f"threshold {self.divergence_threshold:g}"
            )
        return None

    def _criterion_met(self, logs, value):
        """Asks all criteria, also in epochs without a value."""
        metric, training = self.metric, None
        loss = None if value is None else metric.loss_of(value)
        if any(criterion.needs_training for criterion in self.criteria):
            training = metric.loss_of(
                metric.smoothed(metric.training_value_in(logs), "training")
            )
        met = None
        for index, criterion in enumerate(self.criteria):
            name = type(criterion).__name__
            state = metric.memory.setdefault(
                f"{name}_{index}", criterion.start()
            )
            if criterion.stops(
                state, loss, training if criterion.needs_training else None
            ):
                met = met or f"{metric.label} meets {name}"
        return met

    def _is_out_of_patience(self, epoch):
        if self.patience is None or self.metric.wait < self.patience:
            return False
        metric = self.metric
        return not (epoch == 0 and metric.best is None and metric.seen == 1)
