"""Temporarily replaced layer weights, in one thread.

    refs = find_weights(self, layer, "kernel")
    with replaced(refs, [f(value_of(ref)) for ref in refs]):
        outputs = layer(inputs)

While the `with` lasts, the weights have the values of tensors that are computed
from them, so that gradients flow through. This is ordinary Python and so works
on every backend, eagerly, while a graph is traced, in a loop of a recurrent
layer and in JAX's stateless scope. It nests: `value_of` gives replaced values.

The layer itself does not change, since a server's threads share it, and
replicas alternate in the middle of a call. Each thread has its own values.
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

# In this thread: the replacement of a variable, by its identity.
_present = threading.local()

# A plain function, since TorchDynamo follows neither `super()` nor a property.
_own_value = keras.Variable.value.fget


class _ReplaceableVariable(keras.Variable):
    """A variable whose value may be replaced in each thread by itself."""

    @property
    def value(self):
        instead = getattr(_present, "values", {}).get(id(self))
        if instead is not None:
            return self._maybe_autocast(instead)
        return _own_value(self)


class WeightRef:
    """A reference to a weight: an attribute of a layer.

    Args:
        layer: The layer that has the weight.
        attribute: The name of the attribute.
        variable: The weight.
    """

    def __init__(self, layer, attribute, variable):
        self.layer = layer
        self.attribute = attribute
        self.variable = variable


def names_of_weights(owner, target):
    """Checks the argument `target` of a wrapper: a name, or a list of names."""
    names = [target] if isinstance(target, str) else target
    good = isinstance(names, (list, tuple)) and len(names) > 0
    if not good or not all(isinstance(n, str) and n for n in names):
        allowed = 'the name of a weight, such as "kernel", or a list of names'
        fail(owner, "target", allowed, target)
    return target if isinstance(target, str) else list(target)


def find_weights(owner, layer, target):
    """References to the weights of some names in a built layer.

    Args:
        owner: The wrapper to name in errors.
        layer: The layer to search, and the layers within it.
        target: A name, such as `"kernel"`, or a list of names.

    Returns:
        A list of `WeightRef` objects.

    Raises:
        ValueError: If there is no weight of one of the names.
    """
    names = [target] if isinstance(target, str) else target
    refs = [ref for ref in _refs(layer) if ref.variable.name in names]
    found = {ref.variable.name for ref in refs}
    if set(names) - found:
        known = sorted({ref.variable.name for ref in _refs(layer)})
        allowed = f"names of weights of {layer.name!r}, which has {known}"
        fail(owner, "target", allowed, target)
    for ref in refs:
        # Once and for all; equal to it until something is replaced.
        if type(ref.variable) is keras.Variable:
            ref.variable.__class__ = _ReplaceableVariable
    return refs


def value_of(ref, full_precision=False):
    """The present value of a weight for its layer, as a tensor.

    Args:
        ref: A `WeightRef`.
        full_precision: Whether to return the weight's own precision, where the
            layer computes in a lower one. Defaults to `False`.

    Returns:
        A tensor.
    """
    dtype = stored_dtype(ref.variable) if full_precision else _read_dtype(ref)
    with AutocastScope(None):
        value = ref.variable.value
    return ops.cast(value, dtype)


def quantization_of(ref):
    """How a weight has been quantized to integers, such as `"int8"`, or `None`.

    Keras quantizes the layers within without asking the one around them. In
    `"float8"` the weight stays what it was.
    """
    mode = ref.layer.quantization_mode
    return None if mode == "float8" else mode


def shape_of(ref):
    """The shape of a weight, also where two of its numbers share a byte."""
    if quantization_of(ref) == "int4":
        return tuple(getattr(ref.layer, ref.attribute.lstrip("_")).shape)
    return tuple(ref.variable.shape)


def refuse_quantized(owner, refs, action):
    """Raises an error where weights are integers; `action` is a verb."""
    for ref in refs:
        mode = quantization_of(ref)
        if mode is not None:
            raise ValueError(
                f"{type(owner).__name__} {owner.name!r} cannot {action}: the "
                f"quantization to {mode} of {ref.layer.name!r}, within, left "
                "it integers, which cannot be changed in a call. Do so before "
                "`quantize`, on a copy of the model that is not quantized."
            )


def fold_at_quantization(owner, refs, change):
    """Quantizes weights with the values that the layer reads at inference.

    Args:
        owner: The wrapper.
        refs: List of `WeightRef` objects.
        change: Function of a ref and its index, which returns the weight's
            value at inference.
    """
    for layer in {id(ref.layer): ref.layer for ref in refs}.values():
        own = [i for i, ref in enumerate(refs) if ref.layer is layer]
        # Not by `setattr`, which Keras would track.
        vars(layer)["quantize"] = _Quantize(owner, refs, own, change)


class _Quantize:
    """A layer's `quantize`, which first folds in what a wrapper does."""

    def __init__(self, owner, refs, own, change):
        self.owner = owner
        self.refs = refs
        self.own = own
        self.change = change
        self.layer = refs[own[0]].layer
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
        refs = [self.refs[i] for i in self.own]
        before = [ref.variable for ref in refs]
        values = [ops.copy(variable.value) for variable in before]
        if name != "float8":
            for i, ref in zip(self.own, refs, strict=True):
                ref.variable.assign(self.change(ref, i))
        try:
            self.usual(mode=mode, config=config, **options)
        finally:
            for ref, variable, value in zip(refs, before, values, strict=True):
                ref.variable = vars(ref.layer)[ref.attribute]
                if ref.variable is variable:
                    # Not quantized itself, such as a bias.
                    variable.assign(value)


def weights_at_inference(layer):
    """The values of a layer's weights while wrappers call it at inference.

    Args:
        layer: A layer, of which any part may be within a wrapper.

    Returns:
        A dict of tensors by the identity of the variable, without those that
        are not replaced.
    """
    found = {}
    for part in all_layers(layer):
        folded = vars(part).get("quantize")
        if isinstance(folded, _Quantize):
            for i in folded.own:
                ref = folded.refs[i]
                found[id(ref.variable)] = folded.change(ref, i)
    return found


@contextlib.contextmanager
def replaced(refs, values):
    """Replaces weights by tensors in this thread, while a `with` lasts.

    Args:
        refs: List of `WeightRef` objects.
        values: List of tensors, one for each ref.
    """
    before = getattr(_present, "values", {})
    now = dict(before)
    for ref, value in zip(refs, values, strict=True):
        now[id(ref.variable)] = ops.cast(value, _read_dtype(ref))
    _present.values = now
    try:
        yield
    finally:
        _present.values = before


def _refs(layer):
    return [
        WeightRef(part, attribute, value)
        for part in all_layers(layer)
        for attribute, value in vars(part).items()
        if isinstance(value, keras.Variable)
    ]


def _read_dtype(ref):
    """The precision in which a layer reads a weight."""
    dtype = keras.backend.standardize_dtype(stored_dtype(ref.variable))
    if autocasts(ref.variable) and keras.backend.is_float_dtype(dtype):
        return ref.layer.compute_dtype
    return dtype
