"""The promises of a class, by its base class."""

import keras

from keras_regopt.augmentation import RandomAugmentation, Thesaurus
from keras_regopt.callbacks import StoppingCriterion
from keras_regopt.callbacks.averaging._weight_average import WeightAverage
from keras_regopt.optimizers import (
    LBFGS,
    GradientTransformation,
    ParameterGroup,
)
from keras_regopt.testing import (
    augmentations,
    callbacks,
    common,
    constraints,
    criteria,
    layers,
    metrics,
    optimizers,
    regularizers,
    schedules,
    transformations,
)

# The first base that fits counts: an augmentation is a layer too, and so is a
# regularizer with a state.
PROMISES = {
    keras.regularizers.Regularizer: regularizers.PROMISES,
    RandomAugmentation: augmentations.PROMISES,
    # Its layers choose their precision themselves.
    keras.Model: [
        promise
        for promise in layers.PROMISES
        if promise is not layers.computes_in_mixed_precision
    ],
    keras.layers.Layer: layers.PROMISES,
    keras.optimizers.Optimizer: optimizers.PROMISES,
    keras.optimizers.schedules.LearningRateSchedule: schedules.PROMISES,
    keras.constraints.Constraint: constraints.PROMISES,
    keras.callbacks.Callback: callbacks.PROMISES,
    StoppingCriterion: criteria.PROMISES,
    keras.metrics.Metric: metrics.PROMISES,
    keras.losses.Loss: common.PROMISES,
    GradientTransformation: transformations.PROMISES,
    # Settings, which no step is made with by themselves.
    LBFGS: common.PROMISES,
    ParameterGroup: common.PROMISES,
    WeightAverage: common.PROMISES,
    Thesaurus: common.PROMISES,
}


def promises_of(cls):
    """The promises for a class of any kind, as a list of functions."""
    for base, promises in PROMISES.items():
        if issubclass(cls, base):
            return promises
    raise TypeError(f"{cls.__name__} is of no kind that has promises.")
