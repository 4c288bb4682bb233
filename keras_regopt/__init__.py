"""Regularization, optimization and tuning for Keras 3.

Import this package before you load a model that was saved with its objects:
importing registers them all in Keras' serialization.
"""

import importlib

from keras_regopt import (
    augmentation,
    callbacks,
    constraints,
    diagnosis,
    layers,
    optimizers,
    regularizers,
    schedules,
)
from keras_regopt._clean import export_clean
from keras_regopt._named import get
from keras_regopt._version import __version__

__all__ = [
    "__version__",
    "augmentation",
    "callbacks",
    "constraints",
    "diagnosis",
    "export_clean",
    "get",
    "layers",
    "optimizers",
    "regularizers",
    "schedules",
    "testing",
    "tuning",
]

# Keras Tuner and the checks are slow to import and hold no saved classes.
_LAZY = ("testing", "tuning")


def __getattr__(name):
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
