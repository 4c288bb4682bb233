"""Callbacks that watch and steer a training."""

from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.early_stopping import EarlyStopping
from keras_regopt.callbacks.hyperparameter_schedule import (
    HyperparameterSchedule,
)
from keras_regopt.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = [
    "Callback",
    "EarlyStopping",
    "HyperparameterSchedule",
    "ReduceLROnPlateau",
]
