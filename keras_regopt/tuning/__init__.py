"""Search for hyperparameters."""

from keras_regopt.tuning.bayesian_oracle import BayesianOracle
from keras_regopt.tuning.cross_validation_tuner import CrossValidationTuner
from keras_regopt.tuning.grid_oracle import GridOracle
from keras_regopt.tuning.random_oracle import RandomOracle

__all__ = [
    "BayesianOracle",
    "CrossValidationTuner",
    "GridOracle",
    "RandomOracle",
]


def __dir__():
    return __all__
