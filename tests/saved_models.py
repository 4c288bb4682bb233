"""Models that hold a class, for the tests that reload them elsewhere."""

import keras
import numpy as np
import samples

from keras_regopt._registry import registered
from keras_regopt.augmentation import RandomAugmentation, Thesaurus
from keras_regopt.callbacks import StoppingCriterion
from keras_regopt.callbacks.averaging._weight_average import WeightAverage
from keras_regopt.optimizers import (
    LBFGS,
    GradientTransformation,
    ParameterGroup,
    RAdam,
    Transformed,
)
from keras_regopt.testing._samples import (
    data,
    dense_model,
    layer_model,
    layer_shape,
    metric_model,
    usable_layer,
)

# What serves a training and is no part of a model.
NEVER_SAVED = (
    keras.callbacks.Callback,
    LBFGS,
    StoppingCriterion,
    # By the layers that hold one.
    Thesaurus,
    WeightAverage,
)


def savable_classes():
    """The registered classes that a saved model can hold."""
    return [cls for cls in registered() if not issubclass(cls, NEVER_SAVED)]


# One class or more of each kind: among the optimizers those that keep other
# weights than they train, among the layers those that hold others.
FOR_THEIR_KIND = {
    "AdamW",
    "DropConnect",
    "ExponentialMovingAverage",
    "GradientCentralization",
    "GroupGap",
    "L1",
    "Lookahead",
    "MSAM",
    "MonteCarlo",
    "OneCycle",
    "ParameterGroup",
    "RandAugment",
    "RandomAffine",
    "RandomCrop",
    "SAM",
    "ScheduleFreeAdamW",
    "SharpnessAwareModel",
    "SoftThreshold",
    "SpectralNorm",
    "WeightStandardization",
    "Zoneout",
}


def saved_everywhere(cls):
    """Whether each run saves a model of a class, not only that on torch.

    Of what only trains a model, whose state is a list of variables on every
    backend, and of augmentations, which rest in what is served, a few show it.
    """
    shown_by_a_few = (
        RandomAugmentation,
        keras.constraints.Constraint,
        keras.regularizers.Regularizer,
        keras.optimizers.Optimizer,
        keras.optimizers.schedules.LearningRateSchedule,
        GradientTransformation,
        ParameterGroup,
    )
    return not issubclass(cls, shown_by_a_few) or cls.__name__ in FOR_THEIR_KIND


def model_with(cls):
    """A trained model that holds an object of a class, and its data."""
    made = cls(**samples.arguments_of(cls.__name__))
    # A few steps are faster eagerly than TensorFlow can trace one.
    mode = "eager" if keras.backend.backend() == "tensorflow" else None
    if isinstance(made, keras.layers.Layer) and not isinstance(
        made, keras.regularizers.Regularizer
    ):
        made = usable_layer(made)
        if isinstance(made, RandomAugmentation):
            scaled = keras.Sequential([made, keras.layers.Rescaling(1 / 255)])
            model, x, y = layer_model(scaled, (4, 12, 10, 3), mode)
            x = np.random.default_rng(0).uniform(0, 255, x.shape)
            x = x.astype("float32")
        else:
            model, x, y = layer_model(made, layer_shape(made), mode)
    else:
        x, y = data()
        if isinstance(made, keras.regularizers.Regularizer):
            model = dense_model(mode=mode, kernel_regularizer=made)
        elif isinstance(made, keras.constraints.Constraint):
            model = dense_model(mode=mode, kernel_constraint=made)
        elif isinstance(made, keras.metrics.Metric):
            model, x, y = metric_model(made, mode)
        elif isinstance(made, keras.optimizers.Optimizer):
            model = dense_model(made, mode=mode)
        elif isinstance(made, ParameterGroup):
            optimizer = RAdam(0.01, weight_decay=0.1, groups=[made])
            model = dense_model(optimizer, mode=mode)
        elif isinstance(made, GradientTransformation):
            optimizer = Transformed(keras.optimizers.SGD(0.05), [made])
            model = dense_model(optimizer, mode=mode)
        else:
            model = dense_model(keras.optimizers.SGD(made), mode=mode)
    train(model, x, y)
    return model, x, y


def train(model, x, y):
    """A few steps, the same each time; returns the mean loss."""
    keras.utils.set_random_seed(0)
    # To begin an epoch takes longer than all its steps.
    history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    return history.history["loss"][0]


def outputs(model, x):
    """What a model predicts, as an array."""
    return np.asarray(model.predict(x, verbose=0))
