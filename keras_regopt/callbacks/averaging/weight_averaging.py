from typing import Any

import numpy as np
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, one_of
from keras_regopt.callbacks._claims import claim
from keras_regopt.callbacks._restart import restart
from keras_regopt.callbacks.averaging._averaging_checks import (
    refuse_long_executions,
    refuse_other_averages,
    refuse_other_shapes,
)
from keras_regopt.callbacks.averaging._batch_statistics import (
    Reestimation,
    checked_data,
    statistics,
)
from keras_regopt.callbacks.averaging._live_weights import (
    LiveWeights,
    arrays,
    assign,
    copies,
    float_weights,
    require_built,
)
from keras_regopt.callbacks.averaging._step_clock import StepClock
from keras_regopt.callbacks.averaging._weight_average import WeightAverage
from keras_regopt.callbacks.averaging.ema import EMA
from keras_regopt.callbacks.averaging.lawa import LAWA
from keras_regopt.callbacks.averaging.swa import SWA

AVERAGES = {"ema": EMA, "swa": SWA, "lawa": LAWA}


@register
class WeightAveraging(StepClock):
    """Trains on with the weights, and uses the model with their average.

    The average of the weights that a training goes through often generalizes
    better than the last ones, as if the learning rate had been lowered. The
    training itself stays what it was without, to the last bit.

    - Each batch of `fit` is trained with the weights themselves.
    - From the start of validation until the next epoch begins, the model has
      the averages: what is validated is what `ModelCheckpoint` saves and
      `EarlyStopping` keeps. Without validation, this begins when the epoch's
      end comes to this callback, so place it before those.
    - At the end of `fit` the model has the averages, or with
      `overwrite=False` the weights of the last step.
    - Before the first sample is taken, the average is the weights.

    `evaluate` and `predict` with this callback use the averages and leave the
    model as it was. After an error inside `fit`, `use_averages()` and
    `use_weights()` say what the model is to have. See `docs/callbacks.md`.

    Args:
        average: What to average: an `EMA`, a `SWA` or a `LAWA`, or `"ema"`,
            `"swa"` or `"lawa"` for one with its defaults. Defaults to
            `"ema"`.
        batch_norm: What becomes of the moving statistics of batch
            normalization: `"average"` averages them like weights,
            `"reestimate"` computes them again from `data` whenever the model
            gets the averages, and `"keep"` takes the latest. Defaults to
            `"average"`.
        data: What to compute them from: an array of inputs, or an iterable of
            batches as `fit` takes them (a `tf.data.Dataset`, a torch
            `DataLoader`, a list), a few thousand examples. Defaults to
            `None`.
        overwrite: Whether the model has the averages after `fit`. Defaults
            to `True`.

    Attributes:
        steps: Number of the steps so far, if samples are taken by the step.
        samples: Number of the samples in the average so far.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the
            optimizer overwrites the weights with averages of its own, takes
            more steps at once than lie between two samples, or the callbacks
            are no list.

    Examples:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> averaging = WeightAveraging(SWA(start=1))
        >>> x = np.ones((8, 1))
        >>> _ = model.fit(x, x, epochs=4, verbose=0, callbacks=[averaging])
        >>> averaging.samples
        3

    References:
        Izmailov et al. 2018 (arXiv 1803.05407); Kaddour 2022 (arXiv
        2209.14981); `torch.optim.swa_utils`.
    """

    state_attributes = ("steps", "kept", "set_aside")

    def __init__(
        self,
        average: str | WeightAverage = "ema",
        batch_norm: str = "average",
        data: Any = None,
        overwrite: bool = True,
    ):
        super().__init__()
        self.average = _average_of(self, average)
        self.batch_norm = one_of(
            self, "batch_norm", batch_norm, ("average", "reestimate", "keep")
        )
        self.data = checked_data(self, data)
        if (batch_norm == "reestimate") != (data is not None):
            fail(
                self,
                "data",
                "given with batch_norm='reestimate', and then alone",
                data,
                f"It came with batch_norm={batch_norm!r}.",
            )
        self.overwrite = boolean(self, "overwrite", overwrite)
        self._live = None
        self._in_fit = self._unfinished = False
        self.reset()

    def reset(self):
        super().reset()
        # What the average has of the samples.
        self.kept = None
        # The weights of the training, while the model has the averages.
        self.set_aside = None

    @property
    def samples(self):
        return 0 if self.kept is None else self.kept["samples"]

    @property
    def clock_unit(self):
        return self.average.unit

    def state(self):
        kept, set_aside = self.kept, self.set_aside
        return {
            "steps": self.steps,
            "kept": None if kept is None else self.average.saved(kept),
            "set_aside": None if set_aside is None else arrays(set_aside),
        }

    def _load(self, state):
        kept, set_aside = state["kept"], state["set_aside"]
        self.steps = state["steps"]
        self.kept = None if kept is None else self.average.loaded(kept)
        self.set_aside = None if set_aside is None else copies(set_aside)

    def use_averages(self):
        """Gives the model the averages, if it has not got them."""
        if self.set_aside is not None or self.kept is None:
            return
        self._find_weights()
        self.set_aside = copies(self._changed.read())
        assign(self._live.variables, self.average.average(self.kept))
        if self.data is not None:
            self._reestimation.run()

    def use_weights(self):
        """Gives the model the weights of the training, if it has averages."""
        if self.set_aside is not None:
            self._find_weights()
            assign(self._changed.variables, self.set_aside)
            self.set_aside = None

    def set_model(self, model):
        super().set_model(model)
        # `fit` says so in its own hooks; `evaluate` and `predict` have none.
        self._in_fit = False

    def on_train_begin(self, logs=None):
        if self._interrupted():
            self.use_weights()
        super().on_train_begin(logs)
        claim(self, "the weights")
        refuse_other_averages(self, self.model.optimizer)
        refuse_long_executions(self.average, self.model)
        self._live = None
        self._unfinished = True

    def on_epoch_begin(self, epoch, logs=None):
        self._in_fit = True
        self._epoch, self._epoch_counted = epoch, False
        self.use_weights()
        if self._live is not None:
            self._live.find()
        position = epoch if self.average.unit == "epoch" else self.steps
        if self.average.includes_start and self.kept is None:
            self._sample(position - 1, position)

    def after_steps(self, before, after):
        self._sample(before, after)

    def on_test_begin(self, logs=None):
        self._begin_use()

    def on_test_end(self, logs=None):
        self._end_use()

    def on_predict_begin(self, logs=None):
        self._begin_use()

    def on_predict_end(self, logs=None):
        self._end_use()

    def on_epoch_end(self, epoch, logs=None):
        self._end_batches()
        self.use_averages()

    def on_train_end(self, logs=None):
        if self.overwrite:
            self.use_averages()
            if self.set_aside is not None:
                # For a training that goes on from the averages.
                restart(self.model)
        else:
            self.use_weights()
        self._in_fit = self._unfinished = False
        super().on_train_end(logs)

    def _interrupted(self):
        """Whether the last `fit` left averages behind that are still there."""
        if self._restored or not self._unfinished or self.set_aside is None:
            return False
        if self._live is None or self._live.model is not self.model:
            return False
        pairs = zip(
            self._live.variables, self.average.average(self.kept), strict=True
        )
        return all(
            np.array_equal(*arrays([v.value, ops.cast(average, v.dtype)]))
            for v, average in pairs
        )

    def _find_weights(self):
        if self._live is not None and self._live.model is self.model:
            return
        require_built(self, self.model)
        averaged = float_weights(self.model)
        changed = averaged
        if self.batch_norm != "average":
            own = {id(variable) for variable in statistics(self.model)}
            averaged = [v for v in averaged if id(v) not in own]
        if self.batch_norm == "keep":
            changed = averaged
        self._live = LiveWeights(self.model, averaged)
        self._changed = LiveWeights(self.model, changed)
        self._reestimation = Reestimation(self.model, self.data)
        if self.kept is not None:
            refuse_other_shapes(averaged, self.average.average(self.kept))

    def _begin_use(self):
        if self._in_fit:
            self._end_batches()
        else:
            self._borrowed = self.set_aside is None
        self.use_averages()

    def _end_use(self):
        if not self._in_fit and self._borrowed:
            self.use_weights()

    def _end_batches(self):
        if not self._epoch_counted and self.average.unit == "epoch":
            self._sample(self._epoch, self._epoch + 1)
        self._epoch_counted = True

    def _sample(self, before, after):
        if self.average.due(before, after):
            self._find_weights()
            self.kept = self.average.add(self.kept, self._live)

    def __deepcopy__(self, memo):
        # The data belong to the user, and may be large.
        memo[id(self.data)] = self.data
        return super().__deepcopy__(memo)


def _average_of(owner, average):
    if isinstance(average, WeightAverage):
        return average
    if isinstance(average, str) and average in AVERAGES:
        return AVERAGES[average]()
    return fail(
        owner,
        "average",
        "an EMA, SWA or LAWA, or 'ema', 'swa' or 'lawa'",
        average,
    )
