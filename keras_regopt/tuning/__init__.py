"""Search for hyperparameters."""

from keras_regopt.tuning.cross_validation_tuner import CrossValidationTuner

__all__ = ["CrossValidationTuner"]


def __dir__():
    return __all__
