"""Whether Keras still has what `keras_regopt/_keras` reaches into.

One check for each accessor, under the accessor's name, in `keras_boundary`:
where a new Keras has moved something, the test that fails tells what.
"""

import importlib
import inspect
import pkgutil

import keras
import pytest
from keras import ops
from keras_boundary.common import CHECKS, compiled, stepped

from keras_regopt import _keras
from keras_regopt.optimizers import SGD

MODULES = [module.name for module in pkgutil.iter_modules(_keras.__path__)]
for _name in MODULES:
    importlib.import_module(f"keras_boundary.check_{_name}")


def accessors():
    """What the package hands on, by name."""
    return [
        name
        for name in vars(_keras)
        if not name.startswith("_") and name not in MODULES
    ]


@pytest.mark.parametrize("name", accessors())
def test_keras_still_has(name, monkeypatch):
    assert name in CHECKS, f"`{name}` has no check in this file"
    CHECKS[name](
        *(monkeypatch for _ in inspect.signature(CHECKS[name]).parameters)
    )


def test_each_check_is_of_an_accessor():
    assert sorted(CHECKS) == sorted(accessors())


# What classes of ours write in the place of a private method of Keras': under
# another name, nobody would call it any more.
OVERRIDDEN = (
    "_apply_weight_decay",
    "_backend_apply_gradients",
    "_backend_update_step",
    "_clip_gradients",
    "_overwrite_model_variables_with_average_value",
    "_update_model_variables_moving_average",
)


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_keras_still_calls(name, monkeypatch):
    calls = []

    class Watched(SGD):
        pass

    def watched(self, *args, **kwargs):
        calls.append(name)
        return getattr(super(Watched, self), name)(*args, **kwargs)

    setattr(Watched, name, watched)
    variable = keras.Variable([1.0, 2.0])
    optimizer = Watched(
        0.5, weight_decay=0.1, use_ema=True, ema_overwrite_frequency=1
    )
    for _ in range(2):
        optimizer.apply([ops.ones(2)], [variable])
    optimizer.finalize_variable_values([variable])
    assert calls


# What classes of ours use of the Keras class that they derive from.
INHERITED = {
    "optimizer": (
        "_get_variable_index",
        "_iterations",
        "_overwrite_variable_with_gradient",
        "_track_variable",
        "_trainable_variables",
        "_use_weight_decay",
        "_var_key",
        "_variables",
    ),
    "model": ("_flatten_metrics_in_order", "_loss_tracker"),
    "layer": ("_untrack_variable",),
    "normalization": ("_moments",),
    "variable": ("_maybe_autocast",),
}


@pytest.mark.parametrize(
    ("kind", "name"), [(k, n) for k, names in INHERITED.items() for n in names]
)
def test_keras_still_lets_inherit(kind, name):
    owner = {
        "optimizer": lambda: stepped()[0],
        "model": compiled,
        "layer": lambda: keras.layers.Dense(1),
        "normalization": keras.layers.BatchNormalization,
        "variable": lambda: keras.Variable(1.0),
    }[kind]()
    assert hasattr(owner, name)
