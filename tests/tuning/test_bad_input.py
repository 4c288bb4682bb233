"""What CrossValidationTuner refuses."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from fake_search import (
    FakeTuner,
    Returns,
    X,
    Y,
    random_oracle,
)
from sklearn import model_selection

from keras_regopt.tuning import CrossValidationTuner


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "`folds` of CrossValidationTuner must be an integer"),
        ({"folds": "5"}, "A scikit-learn splitter"),
        ({"folds": model_selection.KFold}, "`folds`"),
        ({"stratify": "yes"}, "`stratify` .* must be one of 'auto', True"),
        ({"seed": -1}, "`seed` .* must be an integer >= 0"),
        ({"seed": None}, "`seed` .* must be an integer >= 0"),
        ({"oracle": "random"}, "`oracle` .* must be a Keras Tuner oracle"),
        ({"hypermodel": None}, "`hypermodel` .* must be a HyperModel"),
        ({"executions_per_trial": 2}, "repeated splitter"),
        ({"directory": "gs://bucket"}, "must be a local folder"),
        ({"wrong": 1}, "Unrecognized arguments"),
        ({"oracle": random_oracle(max_trials=0)}, "max_trials` of at least 1"),
    ],
)
def test_a_bad_constructor_argument_is_refused(tmp_path, options, message):
    arguments = {
        "hypermodel": Returns(),
        "oracle": random_oracle(),
        "directory": tmp_path,
        **options,
    }
    with pytest.raises(ValueError, match=message):
        CrossValidationTuner(**arguments)


@pytest.mark.any_backend
def test_an_objective_without_a_direction_is_refused(tmp_path):
    oracle = random_oracle(keras_tuner.Objective("val_f1", "up"))
    with pytest.raises(ValueError, match=r"to 'min' or 'max'.*val_f1"):
        CrossValidationTuner(Returns(), oracle, directory=tmp_path)


@pytest.mark.any_backend
def test_a_distributed_search_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    with pytest.raises(ValueError, match="runs in one process"):
        CrossValidationTuner(Returns(), random_oracle(), directory=tmp_path)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_data": (X, Y)}, "The folds make the validation data"),
        ({"validation_split": 0.2}, "`validation_split` .* left out"),
        ({"y": Y[:5]}, "same number of rows.*12 rows, but 5 in `y`"),
        ({"groups": Y[:5]}, "5 in `groups`"),
        ({"x": None}, "`x` .* must be an array"),
        ({"x": iter([X])}, "Turn a dataset or a generator into arrays"),
        ({"x": [[1.0], [2.0]]}, "one row a sample"),
        ({"x": X[:2], "y": Y[:2]}, "at most 2, the number of samples"),
        ({"y": np.repeat([0, 1], [10, 2])}, "at most 2.* class 1.*stratify"),
        ({"groups": Y // 6}, "at most 2, the number of groups"),
        ({"callbacks": keras.callbacks.History()}, "a list of Keras callback"),
        ({"verbose": 3}, "`verbose`"),
        (
            {"callbacks": [keras.callbacks.BackupAndRestore("backup")]},
            "must be without BackupAndRestore.*FaultTolerant",
        ),
    ],
)
def test_a_bad_search_argument_is_refused(tmp_path, options, message):
    tuner = FakeTuner(Returns(), random_oracle(), folds=3, directory=tmp_path)
    arguments = {"x": X, "y": Y, **options}
    with pytest.raises(ValueError, match=message):
        tuner.search(**arguments)
    assert not (tmp_path / "untitled_project" / "oracle.json").exists()


def test_a_dataset_is_refused(tmp_path):
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    tuner = FakeTuner(Returns(), random_oracle(), folds=3, directory=tmp_path)
    with pytest.raises(ValueError, match="Turn a dataset or a generator"):
        tuner.search(data)
