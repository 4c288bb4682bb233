"""Models saved by this and by past versions go on loading, on any backend."""

import json
import pathlib
import zipfile

import keras
import numpy as np
import pytest
import samples
import saved_models
from keras_versions import version

import keras_regopt

# Variables that the files of 0.1.0 do not hold.
LATER = ("lookahead/steps",)
FILES = sorted((pathlib.Path(__file__).parent / "saved").glob("*/*.keras"))


# The views of the file of Averaged are noisy within 0 to 255, its data are not.
@pytest.mark.filterwarnings(
    "ignore:[\\s\\S]*RandomGaussianNoise got reach:UserWarning"
)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=f"{path.parent.name}-{path.stem}",
            marks=()
            if path.stem in saved_models.FOR_THEIR_KIND
            else pytest.mark.any_backend,
        )
        for path in FILES
    ],
)
def test_a_saved_model_loads_with_its_state(path):
    with zipfile.ZipFile(path) as file:
        written_by = json.loads(file.read("metadata.json"))["keras_version"]
    if version(keras.__version__) < version(written_by):
        pytest.skip(f"Keras reads no files of a later one, {written_by}")
    expected = np.load(path.with_suffix(".npz"))
    model = keras.saving.load_model(path)
    outputs = saved_models.outputs(model, expected["x"])
    if path.stem in samples.DRAW_AT_INFERENCE:
        assert outputs.shape == expected["outputs"].shape
        assert np.all(np.isfinite(outputs))
    else:
        np.testing.assert_allclose(
            outputs, expected["outputs"], rtol=1e-4, atol=1e-5
        )
    known = [v for v in model.optimizer.variables if v.path not in LATER]
    for i, variable in enumerate(known):
        # One number for all variables may have become one for each.
        value = np.broadcast_to(expected[f"variable_{i}"], variable.shape)
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.any_backend
def test_every_class_of_this_version_is_among_the_files():
    names = {
        path.stem
        for path in FILES
        if path.parent.name == keras_regopt.__version__
    }
    classes = {cls.__name__ for cls in saved_models.savable_classes()}
    assert names == classes, "Run `python tests/make_saved.py`."
