"""Numbers of layers and regularizers that a compiled step can read."""

import dataclasses
import math
from typing import Any

import keras

from keras_regopt._keras import all_layers
from keras_regopt._registry import PACKAGE

# Attributes, by the names of the classes in Keras and here, and what they must
# be below: at 0 and at this bound, the code takes another branch.
NUMBERS: dict[str, dict[str, float]] = {
    "Dropout": {"rate": 1.0},
    "SpatialDropout1D": {"rate": 1.0},
    "SpatialDropout2D": {"rate": 1.0},
    "SpatialDropout3D": {"rate": 1.0},
    "GaussianNoise": {"stddev": math.inf},
    "L1": {"l1": math.inf},
    "L2": {"l2": math.inf},
    "L1L2": {"l1": math.inf, "l2": math.inf},
}
# Those of this package alone. Keras' layers of these names compute in Python.
OWN_NUMBERS: dict[str, dict[str, float]] = {
    "ActivityL1": {"rate": math.inf},
    "ActivityL2": {"rate": math.inf},
    "AlphaDropout": {"rate": 1.0},
    "DropBlock1D": {"rate": 1.0},
    "DropBlock2D": {"rate": 1.0},
    "DropBlock3D": {"rate": 1.0},
    "ElasticNet": {"rate": math.inf},
    "EmbeddingNoise": {"alpha": math.inf},
    "GaussianDropout": {"rate": 1.0},
    "GroupLasso": {"rate": math.inf},
    "KLSparsity": {"rate": math.inf},
    "SparseGroupLasso": {"rate": math.inf},
    "StochasticDepth": {"rate": 1.0},
    "VariationalDropout": {"rate": 1.0},
    "WordDropout": {"rate": 1.0},
}


@dataclasses.dataclass
class Number:
    """A number that a compiled step can read as a variable.

    Args:
        owner: The layer, regularizer or optimizer.
        attribute: The attribute that holds it.
        value: Its value.
        label: What it is called in errors.
    """

    owner: Any
    attribute: str
    value: float
    label: str


def bounds_of(name, own):
    """The attributes that may be variables, and what they must be below.

    Args:
        name: The name of the class.
        own: Whether it is one of this package.

    Returns:
        A dict.
    """
    others = OWN_NUMBERS.get(name, {}) if own else {}
    return {**NUMBERS.get(name, {}), **others}


def numbers_of_layers(model):
    """Yields the `Number`s of all layers and of their regularizers."""
    for layer in all_layers(model):
        regularizers = [
            value
            for value in vars(layer).values()
            if isinstance(value, keras.regularizers.Regularizer)
        ]
        for owner in (layer, *regularizers):
            cls = type(owner)
            own = cls.__module__.startswith(f"{PACKAGE}.")
            for attribute, bound in bounds_of(cls.__name__, own).items():
                value = plain(vars(owner).get(attribute))
                if varies(value, bound):
                    label = f"`{attribute}` of {layer.name}"
                    yield Number(owner, attribute, value, label)


def plain(value):
    """A number as a float, `None` for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    # As Keras' L1 keeps it.
    if keras.ops.is_tensor(value) and len(value.shape) == 0:
        return float(keras.ops.convert_to_numpy(value))
    return None


def varies(value, bound):
    """Whether the code for a number is the same for those around it."""
    return value is not None and 0 < value < bound
