"""Saving and reloading, in this process and in another one."""

import os
import tempfile

import keras
import numpy as np

from keras_regopt.testing._backend import backend, to_numpy
from keras_regopt.testing._contract import NotApplicable, require


def through_file(model):
    """A model's copy through a `.keras` file."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "model.keras")
        model.save(path)
        # So that new random numbers differ from those before.
        keras.utils.set_random_seed(1)
        return keras.saving.load_model(path)


def predictions(model, x):
    """The predictions of a model, the same by `predict` and by a call."""
    predicted = model.predict(x, verbose=0)
    called = to_numpy(model(x))
    alike = (
        np.array_equal(predicted, called)
        if predicted.dtype == object
        else np.allclose(predicted, called, rtol=1e-5, atol=1e-5)
    )
    require(
        alike,
        "`predict` and a call differ",
    )
    return predicted


def exported_predictions(model, x):
    """The predictions of the SavedModel that a model is exported to.

    Raises:
        NotApplicable: If Keras cannot export from this backend here.
    """
    needs_export()
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as directory:
        model.export(directory, format="tf_saved_model", verbose=False)
        artifact = tf.saved_model.load(directory)
        return np.asarray(artifact.serve(x))


def needs_export():
    """Raises `NotApplicable` where Keras cannot write a SavedModel."""
    if backend() == "torch":
        raise NotApplicable(
            "Keras exports a SavedModel from torch through torch_xla alone"
        )
