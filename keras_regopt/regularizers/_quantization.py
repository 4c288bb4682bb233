"""Quantization of models with stateful regularizers.

Keras quantizes the layers that contain no other layer. A penalty with a state
is a layer, so a layer that has one would be left out, and the penalty would be
quantized. This wraps `keras.Model.quantize`, and hides the penalties while it
runs. A model without such a penalty is quantized as usual.
"""

import contextlib
import functools

import keras


def hook_quantization(kind):
    """Wraps `keras.Model.quantize` for a class of penalties, once."""
    original = keras.Model.quantize
    if getattr(original, "hides_penalties", False):
        return

    @functools.wraps(original)
    def quantize(self, *args, **kwargs):
        owners = [
            layer
            for layer in self._flatten_layers()
            if any(isinstance(part, kind) for part in layer._layers)
        ]
        if not owners:
            return original(self, *args, **kwargs)
        with contextlib.ExitStack() as stack:
            for owner in owners:
                stack.enter_context(_hidden(owner, kind))
            original(self, *args, **kwargs)
        # On torch, the penalties' state is a parameter of the model again.
        self._post_quantize(None)

    quantize.hides_penalties = True
    keras.Model.quantize = quantize


@contextlib.contextmanager
def _hidden(owner, kind):
    """Removes the penalties from the sublayers of a layer, for a `with`."""
    before = list(owner._layers)
    # In place, since Keras tracks by this very list.
    owner._layers[:] = [p for p in before if not isinstance(p, kind)]
    try:
        yield
    finally:
        known = {id(part) for part in before}
        owner._layers[:] = before + [
            part for part in owner._layers if id(part) not in known
        ]
