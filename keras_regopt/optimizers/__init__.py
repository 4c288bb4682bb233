"""Optimizers and wrappers around optimizers."""

from keras_regopt.optimizers._base import Optimizer
from keras_regopt.optimizers._groups import layerwise_decay
from keras_regopt.optimizers._wrapper import OptimizerWrapper
from keras_regopt.optimizers.lookahead import Lookahead
from keras_regopt.optimizers.parameter_group import ParameterGroup
from keras_regopt.optimizers.radam import RAdam

__all__ = [
    "Lookahead",
    "Optimizer",
    "OptimizerWrapper",
    "ParameterGroup",
    "RAdam",
    "layerwise_decay",
]
