"""Learning-rate schedules."""

from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules.one_cycle import OneCycle
from keras_regopt.schedules.warmup import Warmup

__all__ = ["OneCycle", "Schedule", "Warmup"]
