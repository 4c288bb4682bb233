import numbers

import keras
import numpy as np

from keras_regopt._config import SignatureConfig
from keras_regopt._validate import fail, in_range


class Optimizer(SignatureConfig, keras.optimizers.Optimizer):
    """Base of the optimizers: `__init__`, `build`, `update_step`.

    A subclass has the constructor `(self, learning_rate, own arguments...,
    **kwargs)` and hands `learning_rate` and `**kwargs` on; Keras' ten base
    arguments (`weight_decay`, `clipnorm`, `use_ema`, ...) travel in `**kwargs`
    and are checked by Keras.

    Beside what Keras does, `learning_rate` may be any real number, and a deep
    copy keeps the state.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments.
        **kwargs: Keras' base arguments.

    Raises:
        ValueError: If `learning_rate` is none of these.
    """

    def __init__(self, learning_rate, **kwargs):
        super().__init__(learning_rate=_rate(self, learning_rate), **kwargs)

    def _keras_config(self):
        return keras.optimizers.Optimizer.get_config(self)

    def __deepcopy__(self, memo):
        # Keras copies through a file, upon which the state is lost.
        copied = type(self).from_config(self.get_config())
        memo[id(self)] = copied
        if self.built:
            copied.build([memo.get(id(v), v) for v in self.model_variables])
            for own, other in zip(
                copied.variables, self.variables, strict=True
            ):
                own.assign(other)
        return copied

    @property
    def model_variables(self):
        """The variables this optimizer was built with."""
        return list(self._trainable_variables)


def _rate(optimizer, learning_rate):
    """Turns numbers into what Keras takes; leaves schedules as they are."""
    if isinstance(learning_rate, (numbers.Real, np.generic)):
        return float(in_range(optimizer, "learning_rate", learning_rate, low=0))
    if isinstance(
        learning_rate, keras.optimizers.schedules.LearningRateSchedule
    ) or callable(learning_rate):
        return learning_rate
    return fail(
        optimizer,
        "learning_rate",
        "a number >= 0, a LearningRateSchedule or a function without arguments",
        learning_rate,
    )
