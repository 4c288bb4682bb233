"""Refuses export formats that cannot draw random numbers."""

import functools

import keras


class DrawsInService:
    """Base of the layers that draw random numbers at inference, too.

    Keras does not tell a layer in which format it is exported. This wraps the
    one method, `export`, that does so, once; models without such a layer are
    exported as they would be without this.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _hook_export()


def _hook_export():
    original = keras.Model.export
    if getattr(original, "knows_what_draws", False):
        return

    @functools.wraps(original)
    def export(self, filepath, format="tf_saved_model", *args, **kwargs):
        if format == "onnx":
            for layer in self._flatten_layers():
                if isinstance(layer, DrawsInService):
                    _refuse(layer)
        return original(self, filepath, format, *args, **kwargs)

    export.knows_what_draws = True  # type: ignore[attr-defined]
    keras.Model.export = export


def _refuse(layer):
    kind = type(layer).__name__
    raise ValueError(
        f"{kind} '{layer.name}' cannot be exported with format='onnx': it "
        "draws random numbers in a served model, for which Keras' generators "
        "have no ONNX operator. Export with format='tf_saved_model', or export "
        f"the model within {kind} and draw outside."
    )
