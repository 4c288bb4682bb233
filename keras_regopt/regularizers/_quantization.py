"""Lets models with stateful regularizers be quantized as others are.

Keras quantizes the layers that hold no other layer. A penalty with a state is
a layer, so that what has one would be left out, and the penalty be quantized.
This wraps the one method, `quantize`, from which models are quantized, and
hides the penalties from it for the time being. A model without such a penalty
is quantized as it would be without this.
"""

import contextlib
import functools

import keras

from keras_regopt._keras import after_quantizing, all_layers, direct_layers


def hook_quantization(kind):
    """Wraps `keras.Model.quantize`; once, however often called.

    Args:
        kind: The class of the penalties.
    """
    original = keras.Model.quantize
    if getattr(original, "hides_penalties", False):
        return

    @functools.wraps(original)
    def quantize(self, *args, **kwargs):
        owners = [
            layer
            for layer in all_layers(self)
            if any(isinstance(part, kind) for part in direct_layers(layer))
        ]
        if not owners:
            return original(self, *args, **kwargs)
        with contextlib.ExitStack() as stack:
            for owner in owners:
                stack.enter_context(_hidden(owner, kind))
            original(self, *args, **kwargs)
        # On torch, the penalties' state is a parameter of the model again.
        after_quantizing(self)

    quantize.hides_penalties = True
    keras.Model.quantize = quantize


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
