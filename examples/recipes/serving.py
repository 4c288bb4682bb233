"""Export: files that are served without this package, and without Keras."""

import importlib.util
import pathlib
import tempfile

import keras
from sklearn.datasets import load_digits

import keras_regopt as kr

# What Keras needs to write each format, beside the backend itself.
NEEDED = {
    "tf_saved_model": {"tensorflow": "tensorflow", "jax": "tensorflow"},
    "onnx": {"tensorflow": "tf2onnx", "torch": "onnxscript"},
    "litert": {"tensorflow": "ai_edge_litert"},
}


def main(epochs=20, directory=None):
    directory = pathlib.Path(directory or tempfile.mkdtemp())
    digits = load_digits()
    x, y = digits.data.astype("float32") / 16, digits.target
    drop, last = kr.layers.Dropout(0.2), keras.layers.Dense(10, "softmax")
    model = keras.Sequential([keras.Input((64,)), drop, last])
    loss = "sparse_categorical_crossentropy"
    model.compile(kr.optimizers.AdamW(0.003), loss)
    model.fit(x, y, epochs=epochs, verbose=0)
    # To train on, and for every other backend.
    model.save(directory / "model.keras")
    written = ["model.keras"]
    for name, needed in NEEDED.items():
        module = needed.get(keras.backend.backend())
        if module and importlib.util.find_spec(module):
            model.export(directory / name, format=name, verbose=False)
            written.append(name)
    # Has layers of Keras alone: `import keras` is enough to load it.
    kr.export_clean(model).save(directory / "clean.keras")
    return [*written, "clean.keras"]
