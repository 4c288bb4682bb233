"""Callbacks that watch and steer a training."""

from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.early_stopping import EarlyStopping
from keras_regopt.callbacks.ema import EMA
from keras_regopt.callbacks.gradual_unfreezing import GradualUnfreezing
from keras_regopt.callbacks.lawa import LAWA
from keras_regopt.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from keras_regopt.callbacks.snapshot_ensemble import SnapshotEnsemble
from keras_regopt.callbacks.swa import SWA
from keras_regopt.callbacks.weight_averaging import WeightAveraging

__all__ = [
    "EMA",
    "LAWA",
    "SWA",
    "Callback",
    "EarlyStopping",
    "GradualUnfreezing",
    "ReduceLROnPlateau",
    "SnapshotEnsemble",
    "WeightAveraging",
]
