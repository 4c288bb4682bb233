"""Layers go into every format that Keras can write, as docs/saving.md says.

Needs the packages that write and run a format; without them a test is skipped.
"""

import keras
import numpy as np
import pytest
import samples
import saved_models

from keras_regopt._export import DrawsInService

LAYERS = [
    cls
    for cls in saved_models.savable_classes()
    if issubclass(cls, keras.layers.Layer)
    and not issubclass(cls, (keras.regularizers.Regularizer, DrawsInService))
    and cls.__name__ not in samples.DRAW_AT_INFERENCE
]
BACKEND = keras.backend.backend()
NEEDED = {
    "litert": ["ai_edge_litert"],
    "onnx": ["onnx", "onnxruntime"]
    + {"tensorflow": ["tf2onnx"], "torch": ["onnxscript"]}.get(BACKEND, []),
}
# Where Keras has an exporter for the format that needs no further package.
WRITTEN_ON = {"litert": ("tensorflow",), "onnx": ("tensorflow", "torch")}


# The exporters warn of what they will change, and of each other.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("export_format", WRITTEN_ON)
@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
def test_an_exported_layer_computes_as_in_the_model(
    cls, export_format, tmp_path
):
    if BACKEND not in WRITTEN_ON[export_format]:
        pytest.skip(reason=f"Keras writes no {export_format} on {BACKEND}")
    if export_format == "litert" and hasattr(made(cls), "state_size"):
        pytest.skip(reason="Keras writes the loop of an RNN for TensorFlow")
    for package in NEEDED[export_format]:
        pytest.importorskip(package)
    model, x, _ = saved_models.model_with(cls)
    ending = {"litert": "tflite"}.get(export_format, export_format)
    path = str(tmp_path / f"model.{ending}")
    model.export(path, format=export_format, verbose=False)
    served = {"litert": run_litert, "onnx": run_onnx}[export_format](path, x)
    np.testing.assert_allclose(
        served, saved_models.outputs(model, x), rtol=1e-3, atol=1e-4
    )


def made(cls):
    return cls(**samples.arguments_of(cls.__name__))


def run_onnx(path, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    (output,) = session.run(None, {given.name: x})
    return output


def run_litert(path, x):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path)
    (given,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(given["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], x)
    interpreter.invoke()
    (output,) = interpreter.get_output_details()
    return interpreter.get_tensor(output["index"])
