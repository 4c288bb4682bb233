"""Search for hyperparameters."""

from keras_regopt._hyper_parameter import HyperParameter
from keras_regopt._search_space import Nested, Options, Range
from keras_regopt.tuning._learning_curve import LearningCurve
from keras_regopt.tuning._validation_curve import ValidationCurve
from keras_regopt.tuning.asha_oracle import AshaOracle
from keras_regopt.tuning.bayesian_oracle import BayesianOracle
from keras_regopt.tuning.choosing import (
    choose,
    choose_augmentation,
    choose_dropout,
    choose_optimizer,
    choose_regularizer,
    choose_schedule,
)
from keras_regopt.tuning.cross_validation_tuner import CrossValidationTuner
from keras_regopt.tuning.gradient.gradient_tuner import GradientTuner
from keras_regopt.tuning.grid_oracle import GridOracle
from keras_regopt.tuning.learning_curves import (
    learning_curve,
    validation_curve,
)
from keras_regopt.tuning.nesting import nested_cross_validation
from keras_regopt.tuning.optuna_oracle import OptunaOracle
from keras_regopt.tuning.pruning_callback import PruningCallback
from keras_regopt.tuning.random_oracle import RandomOracle
from keras_regopt.tuning.ray_searching import ray_search
from keras_regopt.tuning.recipe_result import RecipeResult
from keras_regopt.tuning.recipes import recipe
from keras_regopt.tuning.sweeping import sweep
from keras_regopt.tuning.tunable_fit import TunableFit

__all__ = [
    "AshaOracle",
    "BayesianOracle",
    "CrossValidationTuner",
    "GradientTuner",
    "GridOracle",
    "HyperParameter",
    "LearningCurve",
    "Nested",
    "Options",
    "OptunaOracle",
    "PruningCallback",
    "RandomOracle",
    "Range",
    "RecipeResult",
    "TunableFit",
    "ValidationCurve",
    "choose",
    "choose_augmentation",
    "choose_dropout",
    "choose_optimizer",
    "choose_regularizer",
    "choose_schedule",
    "learning_curve",
    "nested_cross_validation",
    "ray_search",
    "recipe",
    "sweep",
    "validation_curve",
]


def __dir__():
    return __all__
