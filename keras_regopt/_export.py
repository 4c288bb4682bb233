"""Refuses formats that cannot hold what some layers do in a served model."""

from keras_regopt._keras import all_layers
from keras_regopt._model_hooks import wrap_models


class DrawsInService:
    """What layers inherit that draw random numbers at inference, too.

    Keras does not tell a layer in which format it is exported. Models without
    such a layer are exported as they would be without this.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        wrap_models("export", _export)


def _export(
    model, original, filepath, format="tf_saved_model", *args, **kwargs
):
    if format == "onnx":
        for layer in all_layers(model):
            if isinstance(layer, DrawsInService):
                _refuse(layer)
    return original(filepath, format, *args, **kwargs)


def _refuse(layer):
    kind = type(layer).__name__
    raise ValueError(
        f"{kind} '{layer.name}' cannot be exported with format='onnx': it "
        "draws random numbers in a served model, for which Keras' generators "
        "have no ONNX operator. Export with format='tf_saved_model', or export "
        f"the model within {kind} and draw outside."
    )
