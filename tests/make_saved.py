"""Writes `tests/saved/<version>.zip`; run once at every release.

PYTHONPATH=. KERAS_BACKEND=tensorflow python tests/make_saved.py

On TensorFlow, since no other backend has models of strings.
"""

import io
import pathlib
import tempfile
import zipfile

import numpy as np
import saved_models

import keras_regopt


def main():
    directory = pathlib.Path(__file__).parent / "saved"
    directory.mkdir(exist_ok=True)
    archive = directory / f"{keras_regopt.__version__}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for cls in saved_models.savable_classes():
            model, x, _ = saved_models.model_with(cls)
            file.writestr(f"{cls.__name__}.keras", saved(model))
            file.writestr(f"{cls.__name__}.npz", arrays(model, x))


def saved(model):
    """The bytes of the model's `.keras` file."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "model.keras"
        model.save(path)
        return path.read_bytes()


def arrays(model, x):
    """What the model shall give, and its optimizer hold, as an `.npz` file."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        x=x,
        outputs=saved_models.outputs(model, x),
        **{
            f"variable_{i}": v.numpy()
            for i, v in enumerate(model.optimizer.variables)
        },
    )
    return file.getvalue()


if __name__ == "__main__":
    main()
