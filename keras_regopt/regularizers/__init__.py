"""Penalties on weights and activities."""

from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers.elastic_net import ElasticNet
from keras_regopt.regularizers.group_lasso import GroupLasso

__all__ = ["ElasticNet", "GroupLasso", "Regularizer"]
