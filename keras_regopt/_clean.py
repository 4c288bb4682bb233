"""A model of Keras' layers alone."""

import keras

from keras_regopt._export import DrawsInService
from keras_regopt._keras import REST_IN_INFERENCE, all_layers
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._validate import fail, instance_of
from keras_regopt.augmentation import RandomAugmentation
from keras_regopt.layers import (
    BatchRenormalization,
    DropBlock1D,
    DropBlock2D,
    DropBlock3D,
    GhostBatchNormalization,
    RobustScaling,
    StochasticDepth,
    VariationalDropout,
    Whitening,
    WordDropout,
)
from keras_regopt.layers._replaced_weights import weights_at_inference
from keras_regopt.layers._wrapper import Wrapper
from keras_regopt.regularizers import StatefulRegularizer

# At inference, their output is their input.
_NOTHING = (
    RandomAugmentation,
    DropBlock1D,
    DropBlock2D,
    DropBlock3D,
    StochasticDepth,
    VariationalDropout,
    WordDropout,
    *REST_IN_INFERENCE,
)
_NORMALIZATIONS = (BatchRenormalization, GhostBatchNormalization)


def export_clean(model: keras.Model) -> keras.Model:
    """A model of Keras' own layers that computes what a model computes.

    What only trains is gone: augmentation, layers of the dropout family,
    penalties, constraints, and the models around a model. Standardized and
    gated weights are folded into the layers, statistics become those of Keras'
    own layers. The copy is saved, reloaded and quantized without this package;
    it is not compiled, and is no model to train on.

    Args:
        model: A built Sequential or functional model, or a model of this
            package around one. It is left as it is.

    Returns:
        A new model with the same outputs.

    Raises:
        ValueError: If `model` is of another kind, or has a layer for which
            Keras has no counterpart, such as `MonteCarlo`; the message names
            it.

    Examples:
        >>> from keras_regopt.layers import DropBlock2D, WeightStandardization
        >>> convolution = WeightStandardization(keras.layers.Conv2D(4, 3))
        >>> model = keras.Sequential(
        ...     [keras.Input((8, 8, 3)), convolution, DropBlock2D()]
        ... )
        >>> [type(layer).__name__ for layer in export_clean(model).layers]
        ['Conv2D']
    """
    instance_of(export_clean, "model", model, keras.Model, "a Keras model")
    pairs: list[tuple] = []
    clean = _clean_model(model, pairs)
    for layer, values in pairs:
        layer.set_weights(values)
    return clean


def _clean_model(model, pairs):
    """A new model; `pairs` gets its layers and what their weights must be."""
    if isinstance(model, DrawsInService):
        _refuse(model, "It draws at inference: take the model within.")
    if isinstance(model, ModelWrapper):
        return _clean_model(model.model, pairs)
    if not model.built:
        fail(export_clean, "model", "built", model, "Call it on data once.")
    if isinstance(model, keras.Sequential):
        layers = [_clean_layer(layer, pairs) for layer in model.layers]
        inputs = keras.Input(
            batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype
        )
        return keras.Sequential(
            [inputs, *filter(None, layers)], name=model.name
        )
    if not getattr(model, "inputs", None):
        _refuse(model, "Only Sequential and functional models can be read.")
    return keras.models.clone_model(
        model,
        clone_function=lambda layer: (
            _clean_layer(layer, pairs)
            or keras.layers.Identity(name=f"{layer.name}_gone")
        ),
        call_function=_call_unless_gone,
    )


def _call_unless_gone(layer, *args, **kwargs):
    if isinstance(layer, keras.layers.Identity):
        return args[0]
    # A wrapper takes what the layer within may not know, such as `mask`.
    given = {name: value for name, value in kwargs.items() if value is not None}
    return layer(*args, **given)


def _clean_layer(layer, pairs):
    """A layer of Keras in the place of any, or `None` for none at all."""
    if isinstance(layer, keras.Model):
        return _clean_model(layer, pairs)
    if isinstance(layer, DrawsInService):
        _refuse(layer, "It draws at inference: take the layer within.")
    if isinstance(layer, RandomAugmentation) and _casts(layer):
        return keras.layers.Rescaling(1.0, name=layer.name)
    if isinstance(layer, _NOTHING):
        return None
    if isinstance(layer, Whitening):
        return _affine(layer, pairs)
    if isinstance(layer, RobustScaling):
        center, spread = layer.get_weights()
        return keras.layers.Normalization(
            layer.axis, mean=center, variance=spread**2, name=layer.name
        )
    if isinstance(layer, _NORMALIZATIONS):
        return _copied(layer, pairs, keras.layers.BatchNormalization)
    if isinstance(layer, Wrapper):
        inner = _clean_layer(layer.layer, pairs)
        if inner is not None and not isinstance(inner, keras.Model):
            # What the inner layer reads while it is called from here.
            pairs[-1] = (inner, _values(layer.layer))
        return inner
    if isinstance(layer, keras.layers.TimeDistributed):
        inner = _clean_layer(layer.layer, pairs)
        return keras.layers.TimeDistributed(
            inner or keras.layers.Identity(), name=layer.name
        )
    return _copied(layer, pairs, type(layer))


def _copied(layer, pairs, cls):
    for part in all_layers(layer):
        ours = type(part).__module__.startswith("keras_regopt.")
        if ours and not isinstance(
            part, (StatefulRegularizer, *_NORMALIZATIONS)
        ):
            _refuse(part, "Keras has no layer that does the same.")
    config = layer.get_config()
    if cls is not type(layer):
        config = keras.layers.BatchNormalization.get_config(layer)
        config = {k: v for k, v in config.items() if "renorm" not in k}
    for name in config:
        if name.endswith(("_regularizer", "_constraint")):
            config[name] = None
    clean = cls.from_config(config)
    pairs.append((clean, _values(layer)))
    if cls is not type(layer):
        # Counters of the training come last.
        own = [w for w in layer.weights if w.path.split("/")[-1] in _STATISTICS]
        pairs[-1] = (clean, [keras.ops.convert_to_numpy(w) for w in own])
    return clean


_STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")


def _values(layer):
    """The weights of a layer as it reads them, without what penalties keep."""
    kept = {
        id(weight)
        for part in all_layers(layer)
        if isinstance(part, StatefulRegularizer)
        for weight in part.weights
    }
    read = weights_at_inference(layer)
    return [
        keras.ops.convert_to_numpy(read.get(id(weight), weight))
        for weight in layer.weights
        if id(weight) not in kept
    ]


def _casts(layer):
    return layer.input.dtype != layer.output.dtype


def _affine(layer, pairs):
    """A whitening as a `Dense` layer on all features."""
    mean, matrix = layer.get_weights()
    dense = keras.layers.Dense(matrix.shape[1])
    pairs.append((dense, [matrix, -mean @ matrix]))
    parts = [keras.layers.Flatten(), dense]
    shape = tuple(layer.input.shape)
    if layer.method == "zca" and len(shape) > 2:
        parts.append(keras.layers.Reshape(shape[1:]))
    return keras.Sequential([keras.Input(shape[1:]), *parts], name=layer.name)


def _refuse(layer, why):
    raise ValueError(
        f"{type(layer).__name__} '{layer.name}' has no counterpart among "
        f"Keras' layers for `export_clean`. {why}"
    )
