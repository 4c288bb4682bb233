"""The three methods of `keras.Model` that this package wraps."""

import ast
import inspect
import pathlib

import keras
import numpy as np
import pytest

import keras_regopt
from keras_regopt import _model_hooks
from keras_regopt.layers import MonteCarlo
from keras_regopt.optimizers import SAM
from keras_regopt.regularizers import SpectralNorm

X = np.ones((4, 2), "float32")


def plain_model():
    layers = [keras.Input((2,)), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    return model


WRAPPED = {
    "make_train_function": lambda: SAM("sgd"),
    "export": lambda: MonteCarlo(plain_model()),
    "quantize": lambda: SpectralNorm(),
}
# The arguments that are handed on or looked at.
ARGUMENTS = {
    "make_train_function": ["self", "force"],
    "export": ["self", "filepath", "format"],
    "quantize": ["self", "mode"],
}


@pytest.mark.any_backend
@pytest.mark.parametrize("name", WRAPPED)
def test_keras_has_the_method_and_its_arguments(name):
    method = getattr(keras.Model, name)
    taken = list(inspect.signature(method).parameters)
    assert taken[: len(ARGUMENTS[name])] == ARGUMENTS[name]


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ["fit", "train_on_batch"])
def test_keras_takes_the_train_function_from_the_method(name):
    source = inspect.getsource(getattr(keras.Model, name))
    assert "self.make_train_function()" in source
    assert "self.train_function(" in source


@pytest.mark.any_backend
@pytest.mark.parametrize("name", WRAPPED)
def test_the_first_object_that_needs_it_wraps_the_method_and_no_other(name):
    WRAPPED[name]()
    wrapped = getattr(keras.Model, name)
    assert wrapped.is_wrapped
    assert wrapped.__name__ == name
    WRAPPED[name]()
    assert getattr(keras.Model, name) is wrapped
    assert not hasattr(wrapped.__wrapped__, "is_wrapped")


def test_models_without_such_an_object_are_left_to_keras():
    for make in WRAPPED.values():
        make()
    model = plain_model()
    model.fit(X, X[:, :1], verbose=0)
    assert not {"make_train_function", "_train_step_hook"} & set(vars(model))
    assert not hasattr(model.train_function, "has_features")


@pytest.mark.any_backend
def test_no_other_module_assigns_to_the_class():
    package = pathlib.Path(keras_regopt.__file__).parent
    assigning = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if any(map(assigns_to_model, ast.walk(ast.parse(path.read_text()))))
    }
    assert assigning == {"_model_hooks.py"}
    assert _model_hooks.__doc__.count("`_train_step`") == 1


def assigns_to_model(node):
    """Whether code sets an attribute of `keras.Model`."""
    if isinstance(node, ast.Call):
        text = ast.unparse(node)
        return text.startswith("setattr(keras.Model,")
    targets = getattr(node, "targets", [])
    return any(ast.unparse(t).startswith("keras.Model.") for t in targets)
