"""Optimizers, wrappers around them, and gradient transformations.

engine/           what all optimizers run on: base, state, backends
algorithms/       the optimizers, a file each
wrappers/         what holds an optimizer and acts around its step
transformations/  what changes gradients or updates before or after a step
full_batch/       fits on the whole data set at once
"""

from keras_regopt.optimizers.algorithms.ad_ema_mix import AdEMAMix
from keras_regopt.optimizers.algorithms.ada_belief import AdaBelief
from keras_regopt.optimizers.algorithms.adafactor import Adafactor
from keras_regopt.optimizers.algorithms.adagrad import Adagrad
from keras_regopt.optimizers.algorithms.adam import Adam
from keras_regopt.optimizers.algorithms.adam_w import AdamW
from keras_regopt.optimizers.algorithms.adamax import Adamax
from keras_regopt.optimizers.algorithms.adan import Adan
from keras_regopt.optimizers.algorithms.adopt import ADOPT
from keras_regopt.optimizers.algorithms.dog import DoG
from keras_regopt.optimizers.algorithms.ftrl import Ftrl
from keras_regopt.optimizers.algorithms.lamb import LAMB
from keras_regopt.optimizers.algorithms.lars import LARS
from keras_regopt.optimizers.algorithms.lion import Lion
from keras_regopt.optimizers.algorithms.mars import MARS
from keras_regopt.optimizers.algorithms.msam import MSAM
from keras_regopt.optimizers.algorithms.nadam import Nadam
from keras_regopt.optimizers.algorithms.novo_grad import NovoGrad
from keras_regopt.optimizers.algorithms.prodigy import Prodigy
from keras_regopt.optimizers.algorithms.proximal_adam import ProximalAdam
from keras_regopt.optimizers.algorithms.proximal_sgd import ProximalSGD
from keras_regopt.optimizers.algorithms.radam import RAdam
from keras_regopt.optimizers.algorithms.rmsprop import RMSprop
from keras_regopt.optimizers.algorithms.schedule_free_adam_w import (
    ScheduleFreeAdamW,
)
from keras_regopt.optimizers.algorithms.schedule_free_sgd import ScheduleFreeSGD
from keras_regopt.optimizers.algorithms.sgd import SGD
from keras_regopt.optimizers.algorithms.soap import SOAP
from keras_regopt.optimizers.algorithms.yogi import Yogi
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._groups import layerwise_decay
from keras_regopt.optimizers.engine.parameter_group import ParameterGroup
from keras_regopt.optimizers.full_batch.full_batch import fit_full_batch
from keras_regopt.optimizers.full_batch.lbfgs import LBFGS
from keras_regopt.optimizers.get import get
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)
from keras_regopt.optimizers.transformations.adaptive_gradient_clipping import (
    AdaptiveGradientClipping,
)
from keras_regopt.optimizers.transformations.cautious_mask import CautiousMask
from keras_regopt.optimizers.transformations.gradient_centralization import (
    GradientCentralization,
)
from keras_regopt.optimizers.transformations.gradient_noise import GradientNoise
from keras_regopt.optimizers.transformations.gradient_normalization import (
    GradientNormalization,
)
from keras_regopt.optimizers.transformations.gradient_sign import GradientSign
from keras_regopt.optimizers.transformations.transformed import Transformed
from keras_regopt.optimizers.wrappers._wrapper import OptimizerWrapper
from keras_regopt.optimizers.wrappers.exponential_moving_average import (
    ExponentialMovingAverage,
)
from keras_regopt.optimizers.wrappers.gradient_accumulation import (
    GradientAccumulation,
)
from keras_regopt.optimizers.wrappers.hypergradient_descent import (
    HypergradientDescent,
)
from keras_regopt.optimizers.wrappers.lookahead import Lookahead
from keras_regopt.optimizers.wrappers.sam import SAM
from keras_regopt.optimizers.wrappers.sharpness_aware_model import (
    SharpnessAwareModel,
)

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
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adan",
    "AdaptiveGradientClipping",
    "CautiousMask",
    "DoG",
    "ExponentialMovingAverage",
    "Ftrl",
    "GradientAccumulation",
    "GradientCentralization",
    "GradientNoise",
    "GradientNormalization",
    "GradientSign",
    "GradientTransformation",
    "HypergradientDescent",
    "Lion",
    "Lookahead",
    "Nadam",
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
