"""Lets models with stateful regularizers be quantized as others are.

Keras quantizes the layers that hold no other layer. A penalty with a state is
a layer, so that what has one would be left out, and the penalty be quantized.
So the penalties are hidden from `quantize` for the time being. A model without
one is quantized as it would be without this.
"""

import contextlib
import functools

from keras_regopt._keras import all_layers, direct_layers, finish_quantization
from keras_regopt._model_hooks import wrap_models


def hook_quantization(kind):
    """Has all models look for penalties before they are quantized.

    Args:
        kind: The class of the penalties.
    """
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
    """Takes the penalties out of what a layer holds, while a `with` lasts."""
    held = direct_layers(owner)
    before = list(held)
    # In place, since Keras tracks by this very list.
    held[:] = [p for p in before if not isinstance(p, kind)]
    try:
        yield
    finally:
        known = {id(part) for part in before}
        held[:] = before + [part for part in held if id(part) not in known]
