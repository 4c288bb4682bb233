"""Penalties on weights and activities, and those that need the inputs."""

from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers.elastic_net import ElasticNet
from keras_regopt.regularizers.gradient_penalty import GradientPenalty
from keras_regopt.regularizers.group_lasso import GroupLasso
from keras_regopt.regularizers.jacobian_penalty import JacobianPenalty
from keras_regopt.regularizers.min_diff import MinDiff
from keras_regopt.regularizers.r_drop import RDrop
from keras_regopt.regularizers.virtual_adversarial import VirtualAdversarial

__all__ = [
    "ElasticNet",
    "GradientPenalty",
    "GroupLasso",
    "JacobianPenalty",
    "MinDiff",
    "RDrop",
    "Regularizer",
    "VirtualAdversarial",
]
