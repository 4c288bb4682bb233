"""The recipes that do other things on each backend."""

import pathlib
import runpy

import keras
import pytest

RECIPES = pathlib.Path(__file__).parent.parent / "examples" / "recipes"
BACKEND = keras.backend.backend()


# Keras says this of every dataset.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.any_training
@pytest.mark.skipif(BACKEND == "torch", reason="the other test runs it there")
def test_several_devices_share_a_training():
    names = {"tensorflow": ["CPU:0", "CPU:1"], "jax": ["cpu:0", "cpu:1"]}
    main = runpy.run_path(RECIPES / "several_devices.py")["main"]
    # One epoch tells the digits better than guessing, at 0.1.
    assert main(epochs=1, devices=names[BACKEND]) > 0.2


@pytest.mark.skipif(BACKEND != "tensorflow", reason="it writes the SavedModel")
def test_a_saved_model_is_written(tmp_path):
    main = runpy.run_path(RECIPES / "serving.py")["main"]
    found = main(epochs=1, directory=tmp_path)
    assert "tf_saved_model" in found
    assert (tmp_path / "tf_saved_model" / "saved_model.pb").exists()
    assert {path.name for path in tmp_path.iterdir()} == set(found)
