"""Regularization inside the network."""

from keras_regopt.layers._base import Layer
from keras_regopt.layers.drop_block_2d import DropBlock2D
from keras_regopt.layers.drop_connect import DropConnect
from keras_regopt.layers.stochastic_depth import StochasticDepth

__all__ = ["DropBlock2D", "DropConnect", "Layer", "StochasticDepth"]
