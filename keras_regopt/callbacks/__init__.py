"""Callbacks that watch and steer a training."""

from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks._criterion import StoppingCriterion
from keras_regopt.callbacks.early_stopping import EarlyStopping
from keras_regopt.callbacks.gap_threshold import GapThreshold
from keras_regopt.callbacks.generalization_loss import GeneralizationLoss
from keras_regopt.callbacks.progress_quotient import ProgressQuotient
from keras_regopt.callbacks.progress_threshold import ProgressThreshold
from keras_regopt.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from keras_regopt.callbacks.successive_increases import SuccessiveIncreases

__all__ = [
    "Callback",
    "EarlyStopping",
    "GapThreshold",
    "GeneralizationLoss",
    "ProgressQuotient",
    "ProgressThreshold",
    "ReduceLROnPlateau",
    "StoppingCriterion",
    "SuccessiveIncreases",
]
