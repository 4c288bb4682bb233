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
    """Quantizes a model without the search for garbage, once a kernel."""
    # What is there now is none.
    gc.freeze()
    try:
        model.quantize(mode, **options)
    finally:
        gc.unfreeze()


def require_quantized(model, x, parts):
    """Requires that a model predicts nearly the same with kernels in int8.

    Args:
        model: A built model.
        x: Its inputs.
        parts: The layers that must be quantized.
    """
    expected = to_numpy(model(x, training=False))
    with warnings.catch_warnings():
        # Keras names each layer that has nothing to quantize.
        warnings.simplefilter("ignore")
        quickly_quantized(model, "int8")
    left_out = [p.name for p in parts if p.quantization_mode != "int8"]
    require(not left_out, f"`quantize` leaves out {left_out}")
    for way in ("", " and reloaded"):
        reloaded = through_file(model) if way else model
        predicted = to_numpy(reloaded(x, training=False))
        error = np.abs(predicted - expected).max()
        share = float(error / np.abs(expected).max())
        require(
            share < 0.05,
            f"quantized to int8{way}, the model is {share:.0%} off",
        )
