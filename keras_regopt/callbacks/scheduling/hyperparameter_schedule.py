import warnings
from collections.abc import Sequence
from typing import TypeAlias

import keras
from keras import ops

from keras_regopt import _train_step
from keras_regopt._registry import register
from keras_regopt._validate import fail, instance_of, one_of
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks._claims import claim
from keras_regopt.callbacks.scheduling._scheduled_attribute import (
    schedule_attribute,
)
from keras_regopt.callbacks.scheduling._targets import find

Target: TypeAlias = str | keras.layers.Layer | keras.regularizers.Regularizer


@register
class HyperparameterSchedule(Callback):
    """Lets a hyperparameter follow a schedule during `fit`.

    For the rate of a regularizer, of dropout, of noise, of an augmentation
    inside of the model: any attribute that a layer or a regularizer keeps as
    a plain number and reads when it is called. The train step is compiled
    once, not for each value.

    While `fit` runs, the attribute is a small variable (under torch, a number
    that is set). Configurations, and so checkpoints, hold its present
    value as a plain number. When `fit` ends the attribute is a plain number
    again, the last value of the schedule: the model that is left, saved and
    evaluated is the one that was trained last.

    Args:
        target: What has the attribute: the name of a layer or its path in the
            model, with `*` for any text; or the layer or regularizer itself;
            or a list of these. Names survive `get_config` and deep copies,
            objects do not.
        attribute: The name of the attribute, such as `"rate"`. With dots, it
            goes through others: `"kernel_regularizer.l2"`.
        schedule: A `LearningRateSchedule`, of `keras_regopt.schedules` or of
            Keras.
        per: `"epoch"` or `"step"`: what the schedule counts, both from 0. An
            epoch is counted as `fit` does, `initial_epoch` included; steps
            begin at `initial_epoch` times the steps of an epoch, where these
            are known. With `steps_per_execution`, the value changes once in an
            execution. Defaults to `"epoch"`.

    The value is added to the logs of each epoch, as `"dropout.rate"` for the
    attribute `rate` of the target `"dropout"`.

    Raises:
        ValueError: If an argument is of a wrong kind; when training begins, if
            the model has no such attribute; in the first step, if the code of
            the target cannot take anything but a Python number.

    Examples:
        >>> ramp = keras.optimizers.schedules.PolynomialDecay(0.0, 10, 0.3)
        >>> callback = HyperparameterSchedule("dropout*", "rate", ramp)
        >>> callback = HyperparameterSchedule(
        ...     "dense", "kernel_regularizer.l2", ramp, per="step"
        ... )

    References:
        Morerio et al. 2017, Curriculum dropout (arXiv 1703.06229); Bansal et
        al. 2018 (arXiv 1810.09102) lower the rate of an orthogonality penalty.
    """

    state_attributes = ("step",)

    def __init__(
        self,
        target: Target | Sequence[Target],
        attribute: str,
        schedule: keras.optimizers.schedules.LearningRateSchedule,
        per: str = "epoch",
    ):
        super().__init__()
        self.target = _checked_target(self, target)
        self.attribute = instance_of(
            self, "attribute", attribute, str, "the name of an attribute"
        )
        self.schedule = instance_of(
            self,
            "schedule",
            schedule,
            keras.optimizers.schedules.LearningRateSchedule,
            "a LearningRateSchedule",
        )
        self.per = one_of(self, "per", per, ("epoch", "step"))
        self.step = 0
        self._scheduled = []
        # Keras need not wait for a step where nothing happens between steps.
        self.async_safe = self.per == "epoch"

    def get_config(self):
        for target in self._targets():
            if not isinstance(target, str):
                fail(
                    self,
                    "target",
                    "the name of a layer, to be saved",
                    target,
                    "The object itself belongs to one model.",
                )
        return super().get_config()

    def reset(self):
        self.step = 0

    def on_train_begin(self, logs=None):
        self._goes_on = self._restored
        super().on_train_begin(logs)
        self._end()
        found = find(self.model, self._targets(), self.attribute)
        for owner, name, label in found:
            claim(self, label, key=(id(owner), name))
        number = self.value()
        self._scheduled = [
            schedule_attribute(self.model, owner, name, label, number)
            for owner, name, label in found
        ]
        self._unread = list(self._scheduled)
        _train_step.remake_functions(self.model, train=True)

    def on_epoch_begin(self, epoch, logs=None):
        if self.per == "epoch":
            self.step = epoch
            self._set()
        elif not self._goes_on:
            self.step = epoch * (self.params.get("steps") or 0)
        self._goes_on = True

    def on_train_batch_begin(self, batch, logs=None):
        self._first_batch = batch
        if self.per == "step":
            self._set()

    def on_train_batch_end(self, batch, logs=None):
        if self.per == "step":
            self.step += batch - self._first_batch + 1

    def on_epoch_end(self, epoch, logs=None):
        self._warn_of_unread()
        if logs is not None:
            logs[self._log_name()] = self._number

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._end()
        _train_step.remake_functions(self.model)

    def value(self):
        """The value for the present epoch or step, a Python float."""
        step = ops.convert_to_tensor(self.step, "int32")
        # In as few digits as the single precision of a schedule has.
        return float(str(ops.convert_to_numpy(self.schedule(step))))

    def _set(self):
        self._number = self.value()
        for each in self._scheduled:
            each.set(self._number)

    def _end(self):
        for each in self._scheduled:
            each.end()
        self._scheduled = []

    def _warn_of_unread(self):
        for each in self._unread:
            if not each.is_read:
                warnings.warn(
                    f"The schedule of {each.label} has no effect: the "
                    "train step did not read it. Either it is read only when "
                    "the layer is made, or the layer is frozen.",
                    stacklevel=2,
                )
        self._unread = []

    def _log_name(self):
        if isinstance(self.target, str):
            return f"{self.target}.{self.attribute}"
        return self.attribute

    def _targets(self):
        several = isinstance(self.target, (list, tuple))
        return list(self.target) if several else [self.target]


def _checked_target(owner, target):
    targets = list(target) if isinstance(target, (list, tuple)) else [target]
    kinds = (str, keras.layers.Layer, keras.regularizers.Regularizer)
    if not targets or not all(isinstance(t, kinds) for t in targets):
        fail(
            owner,
            "target",
            "a name of layers, a layer, a regularizer, or a list of these",
            target,
        )
    return target
