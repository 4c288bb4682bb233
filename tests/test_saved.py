"""Models saved by this and by past versions go on loading, on any backend."""

import io
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
from keras_regopt._registry import registered

# Variables that the files of 0.1.0 do not hold.
LATER = ("lookahead/steps",)
# One a version, the newest last.
ARCHIVES = sorted(
    (pathlib.Path(__file__).parent / "saved").glob("*.zip"),
    key=lambda archive: [int(n) for n in archive.stem.split(".")],
)


OF_STRINGS = {
    cls.__name__ for cls in registered() if saved_models.has_strings(cls)
}


def config_in(archive, name):
    """The configuration of a class' saved model, `None` where there is none."""
    with zipfile.ZipFile(archive) as file:
        if f"{name}.keras" not in file.namelist():
            return None
        with zipfile.ZipFile(io.BytesIO(file.read(f"{name}.keras"))) as model:
            return json.loads(model.read("config.json"))


def files():
    """What to load: of old versions, what was saved otherwise than later."""
    for i, archive in enumerate(ARCHIVES):
        with zipfile.ZipFile(archive) as file:
            names = [pathlib.Path(n).stem for n in file.namelist()]
        for name in dict.fromkeys(names):
            config = config_in(archive, name)
            if all(config != config_in(a, name) for a in ARCHIVES[i + 1 :]):
                yield archive, name


# The views of the file of Averaged are noisy within 0 to 255, its data are not.
@pytest.mark.filterwarnings(
    "ignore:[\\s\\S]*RandomGaussianNoise got reach:UserWarning"
)
@pytest.mark.parametrize(
    ("archive", "name"),
    [
        pytest.param(
            archive,
            name,
            id=f"{archive.stem}-{name}",
            marks=()
            if name in saved_models.FOR_THEIR_KIND or name in OF_STRINGS
            else pytest.mark.any_backend,
        )
        for archive, name in files()
    ],
)
def test_a_saved_model_loads_with_its_state(archive, name, tmp_path):
    if name in OF_STRINGS and keras.backend.backend() != "tensorflow":
        pytest.skip("No other backend has a model of strings")
    with zipfile.ZipFile(archive) as file:
        path = file.extract(f"{name}.keras", tmp_path)
        with np.load(file.extract(f"{name}.npz", tmp_path)) as arrays:
            expected = dict(arrays)
    with zipfile.ZipFile(path) as file:
        written_by = json.loads(file.read("metadata.json"))["keras_version"]
    if version(keras.__version__) < version(written_by):
        pytest.skip(f"Keras reads no files of a later one, {written_by}")
    model = keras.saving.load_model(path)
    outputs = saved_models.outputs(model, expected["x"])
    if name in samples.DRAW_AT_INFERENCE:
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
    archive = ARCHIVES[-1]
    assert archive.stem == keras_regopt.__version__
    with zipfile.ZipFile(archive) as file:
        names = {pathlib.Path(name).stem for name in file.namelist()}
    classes = {cls.__name__ for cls in saved_models.savable_classes()}
    assert names == classes | OF_STRINGS, "Run `python tests/make_saved.py`."
