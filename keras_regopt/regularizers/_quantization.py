"""Quantization of models with stateful regularizers.

Keras quantizes the layers that contain no other layer. A penalty with a state
is a layer, so a layer that has one would be left out, and the penalty would be
quantized. So the penalties are hidden while `quantize` runs. A model without
such a penalty is quantized as usual.
"""

import contextlib
import functools

from keras_regopt._keras import all_layers, direct_layers, finish_quantization
from keras_regopt._model_hooks import wrap_models


def hook_quantization(kind):
    """Has all models hide penalties of a class while they are quantized."""
    wrap_models("quantize", functools.partial(_quantize, kind))


def _quantize(kind, model, original, *args, **kwargs):
    owners = [
        layer
        for layer in all_layers(model)
        if any(isinstance(part, kind) for part in direct_layers(layer))
    ]
    if not owners:
        return original(*args, **kwargs)
    with contextlib.ExitStack() as stack:
        for owner in owners:
            stack.enter_context(_hidden(owner, kind))
        original(*args, **kwargs)
    # On torch, the penalties' state is a parameter of the model again.
    finish_quantization(model)


@contextlib.contextmanager
def _hidden(owner, kind):
    """Removes the penalties from the sublayers of a layer, for a `with`."""
    held = direct_layers(owner)
    before = list(held)
    # In place, since Keras tracks by this very list.
    held[:] = [p for p in before if not isinstance(p, kind)]
    try:
        yield
    finally:
        known = {id(part) for part in before}
        held[:] = before + [part for part in held if id(part) not in known]
