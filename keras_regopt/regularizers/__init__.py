"""Penalties on weights and activities, and those that need the inputs."""

from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers._stateful import StatefulRegularizer
from keras_regopt.regularizers.activity_l1 import ActivityL1
from keras_regopt.regularizers.activity_l2 import ActivityL2
from keras_regopt.regularizers.confidence_penalty import ConfidencePenalty
from keras_regopt.regularizers.elastic_net import ElasticNet
from keras_regopt.regularizers.get import get
from keras_regopt.regularizers.gradient_penalty import GradientPenalty
from keras_regopt.regularizers.group_lasso import GroupLasso
from keras_regopt.regularizers.jacobian_penalty import JacobianPenalty
from keras_regopt.regularizers.kl_sparsity import KLSparsity
from keras_regopt.regularizers.l1 import L1
from keras_regopt.regularizers.l2 import L2
from keras_regopt.regularizers.l2_sp import L2SP
from keras_regopt.regularizers.min_diff import MinDiff
from keras_regopt.regularizers.r_drop import RDrop
from keras_regopt.regularizers.scheduled import Scheduled
from keras_regopt.regularizers.smoothed_crossentropy import (
    SmoothedCrossentropy,
)
from keras_regopt.regularizers.sparse_group_lasso import SparseGroupLasso
from keras_regopt.regularizers.spectral_norm import SpectralNorm
from keras_regopt.regularizers.srip import SRIP
from keras_regopt.regularizers.virtual_adversarial import VirtualAdversarial

__all__ = [
    "L1",
    "L2",
    "L2SP",
    "SRIP",
    "ActivityL1",
    "ActivityL2",
    "ConfidencePenalty",
    "ElasticNet",
    "GradientPenalty",
    "GroupLasso",
    "JacobianPenalty",
    "KLSparsity",
    "MinDiff",
    "RDrop",
    "Regularizer",
    "Scheduled",
    "SmoothedCrossentropy",
    "SparseGroupLasso",
    "SpectralNorm",
    "StatefulRegularizer",
    "VirtualAdversarial",
    "get",
]


def __dir__():
    return __all__
