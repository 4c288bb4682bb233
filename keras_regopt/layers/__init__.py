"""Regularization inside the network."""

from keras_regopt.layers._base import Layer
from keras_regopt.layers.alpha_dropout import AlphaDropout
from keras_regopt.layers.batch_renormalization import BatchRenormalization
from keras_regopt.layers.concrete_dropout import ConcreteDropout
from keras_regopt.layers.drop_block_1d import DropBlock1D
from keras_regopt.layers.drop_block_2d import DropBlock2D
from keras_regopt.layers.drop_block_3d import DropBlock3D
from keras_regopt.layers.drop_connect import DropConnect
from keras_regopt.layers.dropout import Dropout
from keras_regopt.layers.embedding_cutoff import EmbeddingCutoff
from keras_regopt.layers.embedding_mix_up import EmbeddingMixUp
from keras_regopt.layers.embedding_noise import EmbeddingNoise
from keras_regopt.layers.gaussian_dropout import GaussianDropout
from keras_regopt.layers.gaussian_noise import GaussianNoise
from keras_regopt.layers.ghost_batch_normalization import (
    GhostBatchNormalization,
)
from keras_regopt.layers.l0 import L0
from keras_regopt.layers.manifold_mixup import ManifoldMixup
from keras_regopt.layers.monte_carlo import MonteCarlo
from keras_regopt.layers.robust_scaling import RobustScaling
from keras_regopt.layers.spatial_dropout_1d import SpatialDropout1D
from keras_regopt.layers.spatial_dropout_2d import SpatialDropout2D
from keras_regopt.layers.spatial_dropout_3d import SpatialDropout3D
from keras_regopt.layers.stochastic_depth import (
    StochasticDepth,
    linear_depth_rates,
)
from keras_regopt.layers.temperature_scaling import TemperatureScaling
from keras_regopt.layers.variational_dropout import VariationalDropout
from keras_regopt.layers.weight_standardization import WeightStandardization
from keras_regopt.layers.whitening import Whitening
from keras_regopt.layers.word_dropout import WordDropout
from keras_regopt.layers.zoneout import Zoneout

__all__ = [
    "L0",
    "AlphaDropout",
    "BatchRenormalization",
    "ConcreteDropout",
    "DropBlock1D",
    "DropBlock2D",
    "DropBlock3D",
    "DropConnect",
    "Dropout",
    "EmbeddingCutoff",
    "EmbeddingMixUp",
    "EmbeddingNoise",
    "GaussianDropout",
    "GaussianNoise",
    "GhostBatchNormalization",
    "Layer",
    "ManifoldMixup",
    "MonteCarlo",
    "RobustScaling",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StochasticDepth",
    "TemperatureScaling",
    "VariationalDropout",
    "WeightStandardization",
    "Whitening",
    "WordDropout",
    "Zoneout",
    "linear_depth_rates",
]


def __dir__():
    return __all__
