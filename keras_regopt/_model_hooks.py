"""The wraps around methods of `keras.Model`, each set once.

Keras tells an optimizer neither which model it trains nor when, and a layer
neither in which format its model is exported nor that it is quantized. So
three methods of all models are wrapped: `make_train_function` (by
`_train_step`), `export` (by `_export`) and `quantize` (by
`regularizers._quantization`). The first object that needs a wrap sets it. It
leaves models that hold no such object to Keras. No other module assigns to
`keras.Model`.
"""

import functools

import keras


def wrap_models(name, around):
    """Wraps a method of `keras.Model`; once, however often called.

    Args:
        name: The name of the method.
        around: Function of the model, of the method bound to it, and of the
            arguments of the call.
    """
    original = getattr(keras.Model, name)
    if getattr(original, "is_wrapped", False):
        return

    @functools.wraps(original)
    def method(self, *arguments, **options):
        bound = functools.partial(original, self)
        return around(self, bound, *arguments, **options)

    method.is_wrapped = True  # type: ignore[attr-defined]
    setattr(keras.Model, name, method)
