"""Learning-rate schedules."""

from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules.one_cycle import OneCycle
from keras_regopt.schedules.scale import Scale
from keras_regopt.schedules.warmup import Warmup

__all__ = ["OneCycle", "Scale", "Schedule", "Warmup"]
