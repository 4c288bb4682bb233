"""Learning-rate schedules."""

from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules.cosine_decay import CosineDecay
from keras_regopt.schedules.counting import total_steps
from keras_regopt.schedules.cyclical import Cyclical
from keras_regopt.schedules.exponential_decay import ExponentialDecay
from keras_regopt.schedules.floor import Floor
from keras_regopt.schedules.inverse_square_root import InverseSquareRoot
from keras_regopt.schedules.join import Join
from keras_regopt.schedules.linear_to_zero import LinearToZero
from keras_regopt.schedules.one_cycle import OneCycle
from keras_regopt.schedules.piecewise_interpolation import (
    PiecewiseInterpolation,
)
from keras_regopt.schedules.plotting import plot
from keras_regopt.schedules.polynomial_decay import PolynomialDecay
from keras_regopt.schedules.repeat import Repeat
from keras_regopt.schedules.rex import REX
from keras_regopt.schedules.scale import Scale
from keras_regopt.schedules.step_decay import StepDecay
from keras_regopt.schedules.time_based_decay import TimeBasedDecay
from keras_regopt.schedules.warmup import Warmup
from keras_regopt.schedules.warmup_stable_decay import WarmupStableDecay

__all__ = [
    "REX",
    "CosineDecay",
    "Cyclical",
    "ExponentialDecay",
    "Floor",
    "InverseSquareRoot",
    "Join",
    "LinearToZero",
    "OneCycle",
    "PiecewiseInterpolation",
    "PolynomialDecay",
    "Repeat",
    "Scale",
    "Schedule",
    "StepDecay",
    "TimeBasedDecay",
    "Warmup",
    "WarmupStableDecay",
    "plot",
    "total_steps",
]


def __dir__():
    return __all__
