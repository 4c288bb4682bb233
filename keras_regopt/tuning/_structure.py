"""What of a model is compiled in, and which numbers need not be."""

import dataclasses
import json
import math
import warnings

import keras

from keras_regopt._keras import (
    Functional,
    all_layers,
    compiled_loss,
    decays,
    held_rate,
    strategy_of_model,
)
from keras_regopt._optimizer_tree import parts_of
from keras_regopt._registry import PACKAGE
from keras_regopt.tuning._variable_numbers import (
    NUMBERS,
    OWN_NUMBERS,
    Number,
    bounds_of,
    numbers_of_layers,
    plain,
    varies,
)

# What stands for a number in the text of a structure.
_NUMBER = "a number"
# More classes of this package whose code depends on their configuration alone.
_OWN = {*NUMBERS, *OWN_NUMBERS, "SmoothedCrossentropy"}
_LAYERS = ("keras.src.layers.", "keras.src.models.", f"{PACKAGE}.layers.")
# They may hold what they have learned of data, or code of the user.
_OTHER_LAYERS = (
    "keras.src.layers.preprocessing.",
    "keras.src.layers.core.lambda_layer",
    "keras.src.layers.core.wrapper",
)
_OPTIMIZERS = ("keras.src.", f"{PACKAGE}.optimizers.algorithms.")


class IncomparableError(Exception):
    """Nobody can tell from the outside what code of this model depends on."""


@dataclasses.dataclass
class Structure:
    """What a compiled model depends on.

    Args:
        text: Text that is the same for models of one structure.
        numbers: The numbers, which are not in it, each owner's once.
    """

    text: str
    numbers: list[Number]


def structure_of(model):
    """The structure of a built and compiled model.

    Args:
        model: A model that has not been trained.

    Returns:
        A `Structure`.

    Raises:
        IncomparableError: If the model has code that is not known, or a number
            that is not found.
    """
    _require_known_model(model)
    places = list(numbers_of_layers(model))
    node = _serialized(model)
    # It may be a name, and the optimizer itself changed since.
    node.get("compile_config", {}).pop("optimizer", None)
    masked: list[tuple[str, float]] = []
    node = _masked(node, masked)
    if sorted(masked) != sorted((n.attribute, n.value) for n in places):
        raise IncomparableError(
            "a number of its configuration is held by no layer or regularizer "
            "that is known"
        )
    numbers = {(id(n.owner), n.attribute): n for n in places}
    keys = list(numbers)
    variables = model.trainable_variables
    parts = {
        "model": node,
        "optimizer": _optimizer_part(model.optimizer),
        "jit_compile": model.jit_compile,
        "run_eagerly": model.run_eagerly,
        "shared": [keys.index((id(n.owner), n.attribute)) for n in places],
        "trainable": [layer.trainable for layer in all_layers(model)],
        "decays": [decays(model.optimizer, v) for v in variables],
        "variables": [
            (v.path, list(v.shape), str(v.dtype), v.trainable)
            for v in model.variables
        ],
    }
    try:
        text = json.dumps(parts, sort_keys=True)
    except (TypeError, ValueError) as error:
        reason = f"its configuration is not plain: {error}"
        raise IncomparableError(reason) from error
    return Structure(text, [*numbers.values(), *_decay(model.optimizer)])


def _require_known_model(model):
    """Refuses a model whose code depends on more than a configuration."""
    if type(model) not in (keras.Sequential, Functional):
        raise IncomparableError(
            f"it is a {type(model).__name__}, neither Sequential nor functional"
        )
    if getattr(model, "optimizer", None) is None:
        raise IncomparableError("it is not compiled")
    if not model.built:
        raise IncomparableError("it is not built: give it an `Input`")
    loss = compiled_loss(model)
    if loss is None or loss.built:
        raise IncomparableError("it has no loss, or has been trained before")
    if strategy_of_model(model) is not None:
        raise IncomparableError("it was made in a `tf.distribute.Strategy`")
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        module = type(layer).__module__
        if not module.startswith(_LAYERS) or module.startswith(_OTHER_LAYERS):
            raise IncomparableError(_unknown(layer))
        if getattr(layer, "compute_dtype", None) != "float32":
            raise IncomparableError(f"{layer.name} computes in another dtype")
    optimizer = model.optimizer
    known = type(optimizer).__module__.startswith(_OPTIMIZERS)
    if not known or parts_of(optimizer):
        raise IncomparableError(_unknown(optimizer))
    if hasattr(optimizer, "switch_to_training"):
        raise IncomparableError(_unknown(optimizer))
    for owner in (*all_layers(model), optimizer):
        if name := _replaced_method(owner):
            reason = f"`{name}` of {owner.name} has been replaced"
            raise IncomparableError(reason)


def _unknown(owner):
    return f"the code of {type(owner).__name__} may depend on anything"


def _replaced_method(owner):
    """The name of a method that an object has in place of its class's."""
    for name in vars(owner):
        # Keras itself sets these.
        if name not in ("build", "loss", "quantize") and hasattr(
            getattr(type(owner), name, None), "__code__"
        ):
            return name
    return None


def _serialized(owner):
    """The configuration of an object, with that of all within it."""
    try:
        with warnings.catch_warnings():
            # A lambda is refused in any case.
            warnings.simplefilter("ignore")
            return keras.saving.serialize_keras_object(owner)
    except Exception as error:
        reason = f"it has no configuration: {error}"
        raise IncomparableError(reason) from error


def _masked(node, found):
    """A configuration without its numbers, which are added to a list."""
    if isinstance(node, (list, tuple)):
        return [_masked(part, found) for part in node]
    if not isinstance(node, dict):
        return node
    masked = {name: _masked(part, found) for name, part in node.items()}
    if "class_name" not in node:
        return masked
    _require_known_class(node)
    own = (node.get("registered_name") or "").startswith(f"{PACKAGE}>")
    for name, bound in bounds_of(node["class_name"], own).items():
        value = plain(node["config"].get(name))
        if varies(value, bound):
            masked["config"][name] = _NUMBER
            found.append((name, value))
    return masked


def _require_known_class(node):
    name, module = node["class_name"], node.get("module") or ""
    if name.startswith("__") and name not in ("__lambda__", "__typespec__"):
        # Keras' form of a tuple, an array and the like.
        return
    if f"{module}.".startswith("keras."):
        return
    package, _, own = (node.get("registered_name") or "").rpartition(">")
    if package != PACKAGE or own not in _OWN:
        raise IncomparableError(f"the code of {name} may depend on anything")


def _optimizer_part(optimizer):
    """What is compiled in of an optimizer, without its numbers."""
    config = dict(_serialized(optimizer)["config"])
    if isinstance(held_rate(optimizer), keras.Variable):
        config["learning_rate"] = _NUMBER
    if _decay(optimizer):
        config["weight_decay"] = _NUMBER
    cls = type(optimizer)
    masked: list[tuple[str, float]] = []
    config = _masked(config, masked)
    if masked:
        # Such as the penalty of a proximal step.
        raise IncomparableError(_unknown(optimizer))
    return [cls.__module__, cls.__qualname__, config]


def _decay(optimizer):
    """The weight decay of an optimizer, a list of one or none."""
    value = plain(vars(optimizer).get("weight_decay"))
    if not varies(value, math.inf):
        return []
    label = "`weight_decay` of the optimizer"
    return [Number(optimizer, "weight_decay", value, label)]
