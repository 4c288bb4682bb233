"""The `repr` of an object: the call that makes an equal one."""

import importlib
import inspect
import numbers
import re

import keras
import numpy as np

# Beyond so many, the entries of a list or a dict are counted only.
_ENTRIES = 6
_LETTERS = 60


def call(cls, parameters, values):
    """A constructor's call, with the arguments that differ from the default.

    Args:
        cls: The class.
        parameters: Dict of names and `inspect.Parameter` objects.
        values: Dict of names and values; what is missing is not shown.

    Returns:
        A string.
    """
    if "dtype" in values:
        values = {**values, "dtype": _policy_name(values["dtype"])}
    shown = [
        f"{name}={show(values[name])}"
        for name, parameter in parameters.items()
        if name in values and not _is_default(cls, parameter, values[name])
    ]
    return f"{cls.__name__}({', '.join(shown)})"


def constructor_arguments(cls):
    """The arguments of a class's own constructor, as `inspect.Parameter`s."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {
        parameter.name: parameter
        for parameter in list(parameters)[1:]
        if parameter.kind
        in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def show(value):
    """A value in few letters: arrays by their shape, models by their name."""
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, numbers.Real):
        return _short_number(float(value))
    if isinstance(value, str):
        return repr(value if len(value) <= _LETTERS else value[:57] + "...")
    if isinstance(value, (list, tuple)):
        return _show_list(value)
    if isinstance(value, dict):
        return _show_dict(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        dtype = keras.backend.standardize_dtype(value.dtype)
        return f"<{dtype} array of shape {tuple(value.shape)}>"
    if hasattr(value, "shape"):
        return f"<{type(value).__name__} of shape {tuple(value.shape)}>"
    if inspect.isclass(value) or inspect.isroutine(value):
        return value.__name__
    return _show_object(value)


def _show_list(value):
    left, right = "()" if isinstance(value, tuple) else "[]"
    shown = [show(entry) for entry in value[:_ENTRIES]]
    more = len(value) - len(shown)
    if more:
        shown.append(f"... {more} more")
    comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
    return f"{left}{', '.join(shown)}{comma}{right}"


def _show_dict(value):
    if "class_name" in value:
        # An object in a configuration.
        return _show_config(_class_of(value), value)
    entries = list(value.items())[:_ENTRIES]
    shown = [f"{show(key)}: {show(entry)}" for key, entry in entries]
    more = len(value) - len(shown)
    if more:
        shown.append(f"... {more} more")
    return "{" + ", ".join(shown) + "}"


def _show_object(value):
    cls = type(value)
    of_keras = cls.__module__.startswith("keras.")
    if of_keras and isinstance(value, keras.Model):
        # Else with all of its layers.
        return f"<{cls.__name__} {value.name!r}>"
    if of_keras and hasattr(value, "get_config"):
        try:
            return _show_config(cls, {"config": value.get_config()})
        except Exception:
            # In a graph, where no variable can be read.
            return f"{cls.__name__}(...)"
    if cls.__repr__ is object.__repr__:
        return f"{cls.__name__}(...)"
    return repr(value)


def _show_config(cls, serialized):
    """An object of which the configuration is known."""
    if not inspect.isclass(cls) or not isinstance(serialized["config"], dict):
        return f"{serialized['class_name']}(...)"
    # Names and precisions of nested objects are of little interest.
    values = {
        name: value
        for name, value in serialized["config"].items()
        if name not in ("name", "dtype")
    }
    return call(cls, constructor_arguments(cls), values)


def _class_of(serialized):
    registered = serialized.get("registered_name")
    found = keras.saving.get_registered_object(registered)
    if found is None and serialized.get("module"):
        module = importlib.import_module(serialized["module"])
        found = getattr(module, serialized["class_name"], None)
    return found


def _is_default(cls, parameter, value):
    default = parameter.default
    if default is parameter.empty:
        return False
    if value is None:
        return default is None
    if default is None:
        return _stands_for_none(cls, parameter.name, value)
    if isinstance(default, str) and isinstance(value, dict):
        # Keras' names of initializers and the like.
        return _snake_case(value.get("class_name", "")) == default
    return _same(value, default)


def _stands_for_none(cls, name, value):
    """Whether a value is what Keras makes of an argument that is `None`."""
    if name == "name":
        usual = re.escape(_snake_case(cls.__name__))
        return re.fullmatch(rf"{usual}(_\d+)?", str(value)) is not None
    if name == "dtype":
        return value == keras.config.dtype_policy().name
    if name == "data_format":
        return value == keras.config.image_data_format()
    return name == "activation" and value == "linear"


def _same(value, other):
    if isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(value) == len(other) and all(
            _same(a, b) for a, b in zip(value, other, strict=True)
        )
    if _is_number(value) and _is_number(other):
        # Keras keeps some in single precision.
        return value in (other, float(np.float32(other)))
    simple = isinstance(value, (str, bool)) and isinstance(other, type(value))
    return value == other if simple else value is other


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _short_number(number):
    with np.errstate(over="ignore"):
        single = np.float32(number)
    # One that is in single precision is shown in as few digits as tell it.
    return repr(float(str(single)) if float(single) == number else number)


def _snake_case(name):
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _policy_name(value):
    if isinstance(value, dict):
        return value["config"].get("name", value)
    return value
