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

from keras_regopt._keras import AutocastScope
from keras_regopt._validate import fail


# For the present thread, by the identity of a variable, what it reads as.
_present = threading.local()


class _ReplaceableVariable(keras.Variable):
    """A variable that reads as something else while a thread wants it so."""

    @property
    def value(self):
        instead = getattr(_present, "values", {}).get(id(self))
        if instead is not None:
            return self._maybe_autocast(instead)
        # TorchDynamo cannot follow `super()` here.
        return keras.Variable.value.fget(self)


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
    dtype = place.variable._dtype if full_precision else _read_dtype(place)
    with AutocastScope(None):
        value = place.variable.value
    return ops.cast(value, dtype)


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
        for part in layer._flatten_layers()
        for attribute, value in vars(part).items()
        if isinstance(value, keras.Variable)
    ]


def _read_dtype(place):
    """The precision in which a layer reads a weight."""
    dtype = keras.backend.standardize_dtype(place.variable._dtype)
    if place.variable._autocast and keras.backend.is_float_dtype(dtype):
        return place.layer.compute_dtype
    return dtype
