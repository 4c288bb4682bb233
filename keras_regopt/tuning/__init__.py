"""Search for hyperparameters."""

from keras_regopt._hyper_parameter import HyperParameter
from keras_regopt._search_space import Nested, Options, Range
from keras_regopt.tuning.bayesian_oracle import BayesianOracle
from keras_regopt.tuning.choosing import (
    choose,
    choose_augmentation,
    choose_dropout,
    choose_optimizer,
    choose_regularizer,
    choose_schedule,
)
from keras_regopt.tuning.cross_validation_tuner import CrossValidationTuner
from keras_regopt.tuning.gradient.gradient_tuner import GradientTuner
from keras_regopt.tuning.grid_oracle import GridOracle
from keras_regopt.tuning.random_oracle import RandomOracle
from keras_regopt.tuning.sweeping import sweep
from keras_regopt.tuning.tunable_fit import TunableFit

__all__ = [
    "BayesianOracle",
    "CrossValidationTuner",
    "GradientTuner",
    "GridOracle",
    "HyperParameter",
    "Nested",
    "Options",
    "RandomOracle",
    "Range",
    "TunableFit",
    "choose",
    "choose_augmentation",
    "choose_dropout",
    "choose_optimizer",
    "choose_regularizer",
    "choose_schedule",
    "sweep",
]


def __dir__():
    return __all__
