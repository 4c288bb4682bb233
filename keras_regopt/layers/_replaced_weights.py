"""Other values in the place of a layer's weights, for one call.

    places = find_weights(self, layer, "kernel")
    with replaced(places, [f(value_of(place)) for place in places]):
        outputs = layer(inputs)

While the `with` lasts, the weights read as tensors, computed from themselves,
so that gradients flow through them. This is ordinary Python and so works on
every backend, eagerly, while a graph is traced, in a loop of a recurrent layer
and in JAX's stateless scope. It nests: what a weight reads as counts.

Nothing on the layer is exchanged: a server's threads share it, and replicas
hand over to one another in the middle of a call. A weight asks for its value
in the thread that reads it.
"""

import contextlib
import threading

import keras
from keras import ops

from keras_regopt._keras import (
    AutocastScope,
    all_layers,
    autocasts,
    stored_dtype,
)
from keras_regopt._validate import fail

# For the present thread, by the identity of a variable, what it reads as.
_present = threading.local()

# A plain function, since TorchDynamo follows neither `super()` nor a property.
_own_value = keras.Variable.value.fget


class _ReplaceableVariable(keras.Variable):
    """A variable that reads as something else while a thread wants it so."""

    @property
    def value(self):
        instead = getattr(_present, "values", {}).get(id(self))
        if instead is not None:
            return self._maybe_autocast(instead)
        return _own_value(self)


class Place:
    """Where a weight stands: an attribute of a layer.

    Args:
        layer: The layer that holds the weight, itself or within a wrapper.
        attribute: The name of the attribute.
        variable: The weight.
    """

    def __init__(self, layer, attribute, variable):
        self.layer = layer
        self.attribute = attribute
        self.variable = variable


def names_of_weights(owner, target):
    """The argument `target` of a wrapper: a name of weights, or several.

    Args:
        owner: The wrapper under construction.
        target: A name, or a list of names.

    Returns:
        The name, or a list of the names.

    Raises:
        ValueError: If it is anything else.
    """
    names = [target] if isinstance(target, str) else target
    good = isinstance(names, (list, tuple)) and len(names) > 0
    if not good or not all(isinstance(n, str) and n for n in names):
        allowed = 'the name of a weight, such as "kernel", or a list of names'
        fail(owner, "target", allowed, target)
    return target if isinstance(target, str) else list(target)


def find_weights(owner, layer, target):
    """The places of the weights of given names in a built layer.

    Args:
        owner: The wrapper that asks, for the error.
        layer: The layer to search, and the layers within it.
        target: A name, such as `"kernel"`, or a list of names.

    Returns:
        A list of `Place` objects.

    Raises:
        ValueError: If there is no weight of one of the names.
    """
    names = [target] if isinstance(target, str) else target
    places = [place for place in _places(layer) if place.variable.name in names]
    found = {place.variable.name for place in places}
    if set(names) - found:
        known = sorted({place.variable.name for place in _places(layer)})
        allowed = f"names of weights of {layer.name!r}, which has {known}"
        fail(owner, "target", allowed, target)
    for place in places:
        # Once and for all, and equal to it until something is replaced.
        if type(place.variable) is keras.Variable:
            place.variable.__class__ = _ReplaceableVariable
    return places


def value_of(place, full_precision=False):
    """What the layer would now read in a place, as a tensor.

    Args:
        place: A `Place`.
        full_precision: Whether it comes in the weight's own precision, where
            the layer computes in a lower one. Defaults to `False`.

    Returns:
        A tensor.
    """
    dtype = (
        stored_dtype(place.variable) if full_precision else _read_dtype(place)
    )
    with AutocastScope(None):
        value = place.variable.value
    return ops.cast(value, dtype)


def quantization_of(place):
    """How a weight has been quantized to integers, such as `"int8"`, or `None`.

    Keras quantizes the layers within without asking the one around them. In
    `"float8"` the weight stays what it was.
    """
    mode = place.layer.quantization_mode
    return None if mode == "float8" else mode


def shape_of(place):
    """The shape of a weight, also where two of its numbers share a byte."""
    if quantization_of(place) == "int4":
        return tuple(getattr(place.layer, place.attribute.lstrip("_")).shape)
    return tuple(place.variable.shape)


def refuse_quantized(owner, places, action):
    """Raises an error where weights have been quantized to integers.

    Args:
        owner: The wrapper.
        places: List of `Place` objects.
        action: What it cannot do then, as a verb.

    Raises:
        ValueError: If any of the weights has been quantized.
    """
    for place in places:
        mode = quantization_of(place)
        if mode is not None:
            raise ValueError(
                f"{type(owner).__name__} {owner.name!r} cannot {action}: the "
                f"quantization to {mode} of {place.layer.name!r}, within, left "
                "it integers, which cannot be changed in a call. Do so before "
                "`quantize`, on a copy of the model that is not quantized."
            )


def fold_at_quantization(owner, places, change):
    """Lets weights be quantized as the layer reads them at inference.

    Args:
        owner: The wrapper.
        places: List of `Place` objects.
        change: Function of a place and its number, which returns the weight as
            it is read at inference.
    """
    for layer in {id(place.layer): place.layer for place in places}.values():
        own = [i for i, place in enumerate(places) if place.layer is layer]
        # Past Keras' bookkeeping, which has no part in this.
        vars(layer)["quantize"] = _Quantize(owner, places, own, change)


class _Quantize:
    """A layer's `quantize`, which first folds in what a wrapper does."""

    def __init__(self, owner, places, own, change):
        self.owner = owner
        self.places = places
        self.own = own
        self.change = change
        self.layer = places[own[0]].layer
        self.usual = self.layer.quantize

    def __call__(self, mode=None, config=None, **options):
        name = mode or getattr(config, "mode", None)
        if name not in ("int8", "int4", "float8"):
            raise ValueError(
                f"The quantization {name!r} of {self.layer.name!r} is not "
                f"known to {type(self.owner).__name__} {self.owner.name!r} "
                'around it. Take "int8", "int4" or "float8", or leave the '
                "layer out by `filters`."
            )
        places = [self.places[i] for i in self.own]
        before = [place.variable for place in places]
        kept = [ops.copy(variable.value) for variable in before]
        if name != "float8":
            for i, place in zip(self.own, places, strict=True):
                place.variable.assign(self.change(place, i))
        try:
            self.usual(mode=mode, config=config, **options)
        finally:
            for place, variable, value in zip(
                places, before, kept, strict=True
            ):
                place.variable = vars(place.layer)[place.attribute]
                if place.variable is variable:
                    # Not quantized itself, such as a bias.
                    variable.assign(value)


def weights_at_inference(layer):
    """What weights of a layer read as while wrappers call it at inference.

    Args:
        layer: A layer, of which any part may be within a wrapper.

    Returns:
        A dict of tensors by the identity of the variable, without those that
        read as they are.
    """
    found = {}
    for part in all_layers(layer):
        folded = vars(part).get("quantize")
        if isinstance(folded, _Quantize):
            for i in folded.own:
                place = folded.places[i]
                found[id(place.variable)] = folded.change(place, i)
    return found


@contextlib.contextmanager
def replaced(places, values):
    """Lets weights read as tensors in this thread, while a `with` lasts.

    Args:
        places: List of `Place` objects.
        values: List of tensors, one for each place.
    """
    before = getattr(_present, "values", {})
    now = dict(before)
    for place, value in zip(places, values, strict=True):
        now[id(place.variable)] = ops.cast(value, _read_dtype(place))
    _present.values = now
    try:
        yield
    finally:
        _present.values = before


def _places(layer):
    return [
        Place(part, attribute, value)
        for part in all_layers(layer)
        for attribute, value in vars(part).items()
        if isinstance(value, keras.Variable)
    ]


def _read_dtype(place):
    """The precision in which a layer reads a weight."""
    dtype = keras.backend.standardize_dtype(stored_dtype(place.variable))
    if autocasts(place.variable) and keras.backend.is_float_dtype(dtype):
        return place.layer.compute_dtype
    return dtype
