"""Types of arguments that many constructors take."""

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import keras

Path: TypeAlias = str | os.PathLike[str]
RateOrSchedule: TypeAlias = (
    float | keras.optimizers.schedules.LearningRateSchedule
)
LearningRate: TypeAlias = RateOrSchedule | Callable[[], Any]
# A name or a configuration stands for what `keras.optimizers.get` makes of it.
InnerOptimizer: TypeAlias = keras.optimizers.Optimizer | str | dict[str, Any]
