"""Models that hold a class, for the tests that reload them elsewhere."""

import keras
import numpy as np
import samples

from keras_regopt._registry import registered
from keras_regopt.augmentation import (
    RandomAugmentation,
    StringAugmentation,
    Thesaurus,
)
from keras_regopt.callbacks import StoppingCriterion
from keras_regopt.callbacks.averaging._weight_average import WeightAverage
from keras_regopt.optimizers import (
    LBFGS,
    GradientTransformation,
    ParameterGroup,
    RAdam,
    Transformed,
)
from keras_regopt.testing._elements import elements_of, fed, input_for
from keras_regopt.testing._samples import (
    compile_arguments,
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
    """The registered classes that a saved model can hold, on this backend."""
    return [
        cls
        for cls in registered()
        if not issubclass(cls, NEVER_SAVED)
        and (keras.backend.backend() == "tensorflow" or not has_strings(cls))
    ]


def has_strings(cls):
    """Whether a model with the class takes strings, as TensorFlow's do."""
    return issubclass(cls, StringAugmentation)


# One class or more of each kind: among the optimizers those that keep other
# weights than they train, among the layers those that hold others, among the
# callbacks those that change weights or the train step.
FOR_THEIR_KIND = {
    "AdamW",
    "DropConnect",
    "ExponentialMovingAverage",
    "FaultTolerant",
    "GradientCentralization",
    "GradientNormLogger",
    "GradualUnfreezing",
    "GroupGap",
    "HyperparameterSchedule",
    "L1",
    "Lookahead",
    "MSAM",
    "MonteCarlo",
    "OneCycle",
    "ParameterGroup",
    "RandAugment",
    "RandomAffine",
    "RandomCrop",
    "RandomNoise",
    "RandomTimeStretch",
    "RandomTokenDeletion",
    "SAM",
    "ScheduleFreeAdamW",
    "SharpnessAwareModel",
    "SoftThreshold",
    "SpecAugment",
    "SpectralNorm",
    "WeightAveraging",
    "WeightStandardization",
    "Zoneout",
}

# Layers and models that another one saved everywhere shares its code with, but
# for what they do in training.
SHOWN_BY_ANOTHER = {
    "AlphaDropout",
    "DropBlock1D",
    "DropBlock3D",
    "GaussianDropout",
    "GaussianNoise",
    "JacobianPenalty",
    "RDrop",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "VirtualAdversarial",
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
    if has_strings(cls):
        return True
    if issubclass(cls, shown_by_a_few):
        return cls.__name__ in FOR_THEIR_KIND
    return cls.__name__ not in SHOWN_BY_ANOTHER


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
            model, x, y = _augmented_model(made, mode)
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
        elif isinstance(made, keras.losses.Loss):
            model, y = dense_model(mode=mode), np.zeros_like(y)
            model.compile("sgd", made, **compile_arguments(mode))
            model.optimizer.build(model.trainable_variables)
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


def _augmented_model(layer, mode):
    """A model that augments its inputs, scaled down to small numbers."""
    keras.utils.set_random_seed(0)
    x = elements_of(layer)[:4]
    if layer.key == "audio":
        # The files are kept.
        x = x[:, :1000]
    inputs = input_for(layer, x)
    outputs = layer(inputs)
    if layer.holds_strings:
        hashed = keras.layers.Hashing(8, output_mode="one_hot")
        outputs = hashed(keras.ops.expand_dims(outputs, axis=-1))
    scale = 1 / 255 if layer.key in ("images", "token_ids") else 1.0
    outputs = keras.layers.Rescaling(scale)(outputs)
    outputs = keras.layers.Dense(1)(keras.layers.Flatten()(outputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", **compile_arguments(mode))
    model.optimizer.build(model.trainable_variables)
    return model, x, np.ones((len(x), 1), "float32")


def train(model, x, y):
    """A few steps, the same each time; returns the mean loss."""
    keras.utils.set_random_seed(0)
    # To begin an epoch takes longer than all its steps.
    history = model.fit(fed(x), y, batch_size=2, shuffle=False, verbose=0)
    return history.history["loss"][0]


def outputs(model, x):
    """What a model predicts, as an array."""
    return np.asarray(model.predict(fed(x), verbose=0))
