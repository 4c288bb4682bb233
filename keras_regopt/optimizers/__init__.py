"""Optimizers, wrappers around them, and gradient transformations."""

from keras_regopt.optimizers._base import Optimizer
from keras_regopt.optimizers._groups import layerwise_decay
from keras_regopt.optimizers._transformation import GradientTransformation
from keras_regopt.optimizers._wrapper import OptimizerWrapper
from keras_regopt.optimizers.ad_ema_mix import AdEMAMix
from keras_regopt.optimizers.ada_belief import AdaBelief
from keras_regopt.optimizers.adagrad import Adagrad
from keras_regopt.optimizers.adam import Adam
from keras_regopt.optimizers.adam_w import AdamW
from keras_regopt.optimizers.adan import Adan
from keras_regopt.optimizers.adaptive_gradient_clipping import (
    AdaptiveGradientClipping,
)
from keras_regopt.optimizers.adopt import ADOPT
from keras_regopt.optimizers.cautious_mask import CautiousMask
from keras_regopt.optimizers.dog import DoG
from keras_regopt.optimizers.exponential_moving_average import (
    ExponentialMovingAverage,
)
from keras_regopt.optimizers.full_batch import fit_full_batch
from keras_regopt.optimizers.get import get
from keras_regopt.optimizers.gradient_accumulation import GradientAccumulation
from keras_regopt.optimizers.gradient_centralization import (
    GradientCentralization,
)
from keras_regopt.optimizers.gradient_noise import GradientNoise
from keras_regopt.optimizers.gradient_normalization import GradientNormalization
from keras_regopt.optimizers.gradient_sign import GradientSign
from keras_regopt.optimizers.hypergradient_descent import HypergradientDescent
from keras_regopt.optimizers.lamb import LAMB
from keras_regopt.optimizers.lars import LARS
from keras_regopt.optimizers.lbfgs import LBFGS
from keras_regopt.optimizers.lookahead import Lookahead
from keras_regopt.optimizers.mars import MARS
from keras_regopt.optimizers.msam import MSAM
from keras_regopt.optimizers.novo_grad import NovoGrad
from keras_regopt.optimizers.parameter_group import ParameterGroup
from keras_regopt.optimizers.prodigy import Prodigy
from keras_regopt.optimizers.proximal_adam import ProximalAdam
from keras_regopt.optimizers.proximal_sgd import ProximalSGD
from keras_regopt.optimizers.radam import RAdam
from keras_regopt.optimizers.rmsprop import RMSprop
from keras_regopt.optimizers.sam import SAM
from keras_regopt.optimizers.schedule_free_adam_w import ScheduleFreeAdamW
from keras_regopt.optimizers.schedule_free_sgd import ScheduleFreeSGD
from keras_regopt.optimizers.sgd import SGD
from keras_regopt.optimizers.sharpness_aware_model import SharpnessAwareModel
from keras_regopt.optimizers.soap import SOAP
from keras_regopt.optimizers.transformed import Transformed
from keras_regopt.optimizers.yogi import Yogi

__all__ = [
    "ADOPT",
    "LAMB",
    "LARS",
    "LBFGS",
    "MARS",
    "MSAM",
    "SAM",
    "SGD",
    "SOAP",
    "AdEMAMix",
    "AdaBelief",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adan",
    "AdaptiveGradientClipping",
    "CautiousMask",
    "DoG",
    "ExponentialMovingAverage",
    "GradientAccumulation",
    "GradientCentralization",
    "GradientNoise",
    "GradientNormalization",
    "GradientSign",
    "GradientTransformation",
    "HypergradientDescent",
    "Lookahead",
    "NovoGrad",
    "Optimizer",
    "OptimizerWrapper",
    "ParameterGroup",
    "Prodigy",
    "ProximalAdam",
    "ProximalSGD",
    "RAdam",
    "RMSprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "SharpnessAwareModel",
    "Transformed",
    "Yogi",
    "fit_full_batch",
    "get",
    "layerwise_decay",
]


def __dir__():
    return __all__
