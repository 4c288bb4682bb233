"""Callbacks that watch and steer a training.

stopping/    when to stop: patience and criteria
monitoring/  the monitored metrics: direction, smoothing, best value
rates/       learning rates: reduced, tried out, found
loggers/     what is written into the logs besides Keras' metrics
averaging/   averages of the weights over a training
scheduling/  what changes an attribute or a frozen layer during a training
backup/      trainings that go on after an interruption
"""

from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.averaging.ema import EMA
from keras_regopt.callbacks.averaging.lawa import LAWA
from keras_regopt.callbacks.averaging.snapshot_ensemble import SnapshotEnsemble
from keras_regopt.callbacks.averaging.swa import SWA
from keras_regopt.callbacks.averaging.weight_averaging import WeightAveraging
from keras_regopt.callbacks.backup.fault_tolerant import FaultTolerant
from keras_regopt.callbacks.loggers.gradient_norm_logger import (
    GradientNormLogger,
)
from keras_regopt.callbacks.loggers.learning_rate_logger import (
    LearningRateLogger,
)
from keras_regopt.callbacks.loggers.regularization_logger import (
    RegularizationLogger,
)
from keras_regopt.callbacks.rates.learning_rate_finder import (
    LearningRateFinder,
    find_learning_rate,
)
from keras_regopt.callbacks.rates.range_test import RangeTest
from keras_regopt.callbacks.rates.reduce_lr_on_plateau import ReduceLROnPlateau
from keras_regopt.callbacks.scheduling.gradual_unfreezing import (
    GradualUnfreezing,
)
from keras_regopt.callbacks.scheduling.hyperparameter_schedule import (
    HyperparameterSchedule,
)
from keras_regopt.callbacks.scheduling.momentum_cycle import MomentumCycle
from keras_regopt.callbacks.stopping._criterion import StoppingCriterion
from keras_regopt.callbacks.stopping.early_stopping import EarlyStopping
from keras_regopt.callbacks.stopping.gap_threshold import GapThreshold
from keras_regopt.callbacks.stopping.generalization_loss import (
    GeneralizationLoss,
)
from keras_regopt.callbacks.stopping.progress_quotient import ProgressQuotient
from keras_regopt.callbacks.stopping.progress_threshold import ProgressThreshold
from keras_regopt.callbacks.stopping.successive_increases import (
    SuccessiveIncreases,
)

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
