"""Callbacks that watch and steer a training."""

from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks._criterion import StoppingCriterion
from keras_regopt.callbacks.early_stopping import EarlyStopping
from keras_regopt.callbacks.ema import EMA
from keras_regopt.callbacks.fault_tolerant import FaultTolerant
from keras_regopt.callbacks.gap_threshold import GapThreshold
from keras_regopt.callbacks.generalization_loss import GeneralizationLoss
from keras_regopt.callbacks.gradient_norm_logger import GradientNormLogger
from keras_regopt.callbacks.gradual_unfreezing import GradualUnfreezing
from keras_regopt.callbacks.hyperparameter_schedule import (
    HyperparameterSchedule,
)
from keras_regopt.callbacks.lawa import LAWA
from keras_regopt.callbacks.learning_rate_finder import (
    LearningRateFinder,
    find_learning_rate,
)
from keras_regopt.callbacks.learning_rate_logger import LearningRateLogger
from keras_regopt.callbacks.momentum_cycle import MomentumCycle
from keras_regopt.callbacks.progress_quotient import ProgressQuotient
from keras_regopt.callbacks.progress_threshold import ProgressThreshold
from keras_regopt.callbacks.range_test import RangeTest
from keras_regopt.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from keras_regopt.callbacks.regularization_logger import RegularizationLogger
from keras_regopt.callbacks.snapshot_ensemble import SnapshotEnsemble
from keras_regopt.callbacks.successive_increases import SuccessiveIncreases
from keras_regopt.callbacks.swa import SWA
from keras_regopt.callbacks.weight_averaging import WeightAveraging

__all__ = [
    "EMA",
    "LAWA",
    "SWA",
    "Callback",
    "EarlyStopping",
    "FaultTolerant",
    "GapThreshold",
    "GeneralizationLoss",
    "GradientNormLogger",
    "GradualUnfreezing",
    "HyperparameterSchedule",
    "LearningRateFinder",
    "LearningRateLogger",
    "MomentumCycle",
    "ProgressQuotient",
    "ProgressThreshold",
    "RangeTest",
    "ReduceLROnPlateau",
    "RegularizationLogger",
    "SnapshotEnsemble",
    "StoppingCriterion",
    "SuccessiveIncreases",
    "WeightAveraging",
    "find_learning_rate",
]


def __dir__():
    return __all__
