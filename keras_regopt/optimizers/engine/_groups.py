"""The factors that parameter groups give to the variables of an optimizer."""

import re
import warnings
from collections.abc import Sequence

import keras
import numpy as np

from keras_regopt._keras import file_attributes
from keras_regopt._validate import fail, in_range, instance_of
from keras_regopt.optimizers.engine.parameter_group import ParameterGroup

# What an optimizer keeps for each variable, and a file of it under this name.
_FACTORS = ("rate_factors", "decay_factors")


def checked_groups(owner, groups):
    """A list of groups, or `None`.

    Args:
        owner: The optimizer under construction.
        groups: The value of its argument `groups`.

    Returns:
        A list of `ParameterGroup` objects, or `None`.

    Raises:
        ValueError: If the value is anything else.
    """
    if groups is None:
        return None
    if not isinstance(groups, (list, tuple)) or not all(
        isinstance(group, ParameterGroup) for group in groups
    ):
        fail(
            owner, "groups", "a list of ParameterGroup objects, or None", groups
        )
    return list(groups)


def factors(groups, variables, argument):
    """The factor of each variable: the product over the groups that match.

    Args:
        groups: A list of groups, or `None`.
        variables: The model's variables.
        argument: `"learning_rate"` or `"weight_decay"`.

    Returns:
        A list of Python floats.
    """
    result = [1.0] * len(variables)
    for group in groups or ():
        for i, variable in enumerate(variables):
            if group.matches(variable_path(variable)):
                result[i] *= getattr(group, argument)
    return result


def groups_without_variables(groups, variables):
    """The groups that match no variable."""
    paths = [variable_path(variable) for variable in variables]
    return [
        group
        for group in groups or ()
        if not any(group.matches(path) for path in paths)
    ]


def warn_of_groups(owner, idle):
    """Warns of the groups of an optimizer that match no variable."""
    patterns = ", ".join(repr(group.pattern) for group in idle)
    warnings.warn(
        f"`groups` of {type(owner).__name__} have patterns that match no "
        f"variable: {patterns}. {_some_paths(owner.model_variables)}",
        stacklevel=3,
    )


def save_factors(optimizer, store):
    """Notes in a file which factors the variables have, in their order.

    Keras may load a model with other paths than those it was saved with: the
    name of a `Sequential` within a model is no longer in them.
    """
    attributes = file_attributes(store)
    if attributes is not None:
        for name in _FACTORS:
            attributes[name] = np.array(getattr(optimizer, name))


def load_factors(optimizer, store):
    """Takes factors from a file, where the groups match no longer.

    Returns:
        The groups that still match nothing, a list.
    """
    attributes = file_attributes(store) or {}
    saved = [attributes.get(name) for name in _FACTORS]
    count = len(optimizer.model_variables)
    if any(f is None or len(f) != count for f in saved):
        return optimizer.idle_groups
    for name, values in zip(_FACTORS, saved, strict=True):
        setattr(optimizer, name, [float(value) for value in values])
    return []


def exclusion(owner, exclude):
    """The group of the variables that an argument `exclude` names.

    Args:
        owner: The object under construction.
        exclude: Its argument `exclude`, a regular expression or `None`.

    Returns:
        A `ParameterGroup`, which matches nothing for `None`.

    Raises:
        ValueError: If `exclude` is neither.
    """
    if exclude is None:
        return ParameterGroup("(?!)")
    allowed = "a regular expression, or None"
    instance_of(owner, "exclude", exclude, str, allowed)
    try:
        return ParameterGroup(exclude)
    except ValueError:
        return fail(owner, "exclude", allowed, exclude)


def exclusions(owner, group, variables):
    """Whether each variable is excluded; warns of an `exclude` without effect.

    Args:
        owner: The optimizer, with an argument `exclude`.
        group: What `exclusion` made of it.
        variables: The model's variables.

    Returns:
        A list of Python `bool`.
    """
    paths = [variable_path(variable) for variable in variables]
    excluded = [group.matches(path) for path in paths]
    if owner.exclude is not None and not any(excluded):
        warnings.warn(
            f"`exclude={owner.exclude!r}` of {type(owner).__name__} matches no "
            f"variable. {_some_paths(variables)}",
            stacklevel=2,
        )
    return excluded


def layerwise_decay(
    model: keras.Model | Sequence[str], decay: float = 0.75
) -> list[ParameterGroup]:
    """Groups whose learning rate falls from the output to the input.

    The last layer keeps the learning rate, the one before it has `decay` times
    as much, the one before that `decay ** 2`, and so on: while a pretrained
    model is fine-tuned, its first layers, which hold the most general features,
    move the least. Layers without trainable variables do not count.

    Args:
        model: A built Keras model, whose layers in their order become the
            groups (a model among them whose name is not in the paths of its
            variables, such as a pretrained backbone, counts by its own layers);
            or a list of regular expressions on the variables' paths, from the
            input to the output, one for each depth (such as
            `["stem/.*", "block_0/.*", "block_1/.*", "head/.*"]`). Variables
            that no expression matches keep the learning rate.
        decay: Factor from one depth to the one below it, in (0, 1]. Defaults to
            `0.75`.

    Returns:
        A list of `ParameterGroup` objects for an optimizer's `groups`.

    Raises:
        ValueError: If `decay` is out of its range, `model` is neither of both,
            not built, or has a layer whose variables another layer's pattern
            matches as well.

    Examples:
        >>> groups = layerwise_decay(["stem/.*", "block/.*", "head/.*"], 0.5)
        >>> [group.learning_rate for group in groups]
        [0.25, 0.5, 1.0]

    References:
        Clark et al. 2020, ELECTRA (arXiv 2003.10555); Bao et al. 2022, BEiT
        (arXiv 2106.08254); `param_groups_layer_decay` in timm.
    """
    decay = in_range(layerwise_decay, "decay", decay, above=0, high=1)
    if isinstance(model, keras.Model):
        patterns = _patterns_of_layers(model)
    elif isinstance(model, (list, tuple)) and all(
        isinstance(pattern, str) for pattern in model
    ):
        patterns = list(model)
    else:
        fail(
            layerwise_decay,
            "model",
            "a Keras model or a list of regular expressions",
            model,
        )
    last = len(patterns) - 1
    return [
        ParameterGroup(pattern, learning_rate=decay ** (last - i))
        for i, pattern in enumerate(patterns)
    ]


def variable_path(variable):
    """The path of a variable, also of a plain `tf.Variable`."""
    return getattr(variable, "path", variable.name)


def _some_paths(variables):
    """A sentence that shows what patterns are matched with."""
    paths = [variable_path(variable) for variable in variables]
    more = f" and {len(paths) - 8} more" if len(paths) > 8 else ""
    return f"The paths are: {', '.join(paths[:8])}{more}."


def _patterns_of_layers(model):
    layers = list(_named_layers(model))
    if not layers:
        fail(
            layerwise_decay,
            "model",
            "built and hold trainable variables",
            model,
            "Call `model.build(input_shape)` first.",
        )
    patterns = [rf"{re.escape(layer.name)}/.*" for layer in layers]
    for layer, pattern in zip(layers, patterns, strict=True):
        group = ParameterGroup(pattern)
        own = {id(variable) for variable in layer.trainable_variables}
        for variable in model.trainable_variables:
            if group.matches(variable.path) != (id(variable) in own):
                fail(
                    layerwise_decay,
                    "model",
                    "a model whose layers have names that tell their "
                    f"variables apart; {layer.name!r} and "
                    f"{variable.path!r} do not",
                    model.name,
                    "Rename the layer, or give a list of regular expressions.",
                )
    return patterns


def _named_layers(model):
    """The layers with variables; of a model that they do not name, its own."""
    for layer in model.layers:
        variables = layer.trainable_variables
        if not variables:
            continue
        group = ParameterGroup(rf"{re.escape(layer.name)}/.*")
        is_named = any(group.matches(variable.path) for variable in variables)
        if getattr(layer, "layers", None) and not is_named:
            yield from _named_layers(layer)
        else:
            yield layer
