"""Optimizers and wrappers around optimizers."""

from keras_regopt.optimizers._base import Optimizer
from keras_regopt.optimizers._wrapper import OptimizerWrapper
from keras_regopt.optimizers.lookahead import Lookahead
from keras_regopt.optimizers.radam import RAdam

__all__ = ["Lookahead", "Optimizer", "OptimizerWrapper", "RAdam"]
