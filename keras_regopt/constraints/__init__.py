"""Constraints on weights after each step, and tools to remove zeros."""

from keras_regopt.constraints._base import Constraint
from keras_regopt.constraints.cost import Cost, cost
from keras_regopt.constraints.get import get
from keras_regopt.constraints.group_soft_threshold import GroupSoftThreshold
from keras_regopt.constraints.shrink import shrink
from keras_regopt.constraints.simplex import Simplex
from keras_regopt.constraints.soft_threshold import SoftThreshold
from keras_regopt.constraints.sparsity import Sparsity, Zeros, sparsity
from keras_regopt.constraints.spectral_norm_ball import SpectralNormBall

__all__ = [
    "Constraint",
    "Cost",
    "GroupSoftThreshold",
    "Simplex",
    "SoftThreshold",
    "Sparsity",
    "SpectralNormBall",
    "Zeros",
    "cost",
    "get",
    "shrink",
    "sparsity",
]


def __dir__():
    return __all__
