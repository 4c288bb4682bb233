"""Models whose kernels are integers."""

import gc
import warnings

import keras
import numpy as np

from keras_regopt._keras import all_layers
from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._contract import require
from keras_regopt.testing._saving import through_file


def quantizable(layer):
    """The layers within a layer, or itself, whose kernels Keras quantizes."""
    return [
        part
        for part in all_layers(layer)
        if type(part).quantize is not keras.layers.Layer.quantize
        and not isinstance(part, keras.Model)
    ]


def quickly_quantized(model, mode, **options):
    """Quantizes a model without a garbage collection for each kernel."""
    # Nothing that is alive now is garbage.
    gc.freeze()
    try:
        model.quantize(mode, **options)
    finally:
        gc.unfreeze()


def require_quantized(model, x, parts):
    """Requires that `parts` of a model are in int8 and change little."""
    expected = to_numpy(model(x, training=False))
    with warnings.catch_warnings():
        # Keras names each layer that has nothing to quantize.
        warnings.simplefilter("ignore")
        quickly_quantized(model, "int8")
    left_out = [p.name for p in parts if p.quantization_mode != "int8"]
    require(not left_out, f"`quantize` leaves out {left_out}")
    for suffix in ("", " and reloaded"):
        reloaded = through_file(model) if suffix else model
        predicted = to_numpy(reloaded(x, training=False))
        error = np.abs(predicted - expected).max()
        relative = float(error / np.abs(expected).max())
        require(
            relative < 0.05,
            f"quantized to int8{suffix}, the model is {relative:.0%} off",
        )
