"""What a model in training consists of, as plain values."""

import re

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import (
    all_layers,
    build_symbolically,
    dataset_of,
    held_rate,
    running_fit,
)
from keras_regopt.callbacks.rates._rates import has_schedule, rate_holders
from keras_regopt.schedules.scale import Scale


def build(owner, model, epoch_iterator):
    """Makes all variables of a model before its first step.

    On JAX and torch, `fit` has done this already.

    Args:
        owner: The callback that needs them.
        model: A compiled model.
        epoch_iterator: The `EpochIterator` of the running `fit`.

    Returns:
        `None`, or the exception that kept the metrics from being made.

    Raises:
        ValueError: If the layers cannot be built.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    layers_built = all(layer.built for layer in all_layers(model))
    try:
        build_symbolically(
            model,
            keras.tree.map_structure(
                _symbolic, dataset_of(epoch_iterator).element_spec
            ),
        )
    except Exception as error:
        if not layers_built:
            raise ValueError(
                f"{type(owner).__name__} cannot build this model before its "
                f"first batch ({error}). Build it before `fit`, by calling it "
                "on a batch of its data."
            ) from error
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        return error
    return None


def build_in_fit(owner, model):
    """Builds a model from the data of its running `fit`, if it is not yet.

    Args:
        owner: The callback that needs its variables.
        model: A compiled model.
    """
    iterator, _ = running_fit(model)
    built = all(layer.built for layer in all_layers(model))
    if iterator is not None and not built:
        build(owner, model, iterator)


def _symbolic(spec):
    shape = getattr(spec, "shape", None)
    if shape is None:
        return None
    return keras.KerasTensor(tuple(shape), spec.dtype.name)


def model_state(model, with_metrics=True):
    """The state of a model, its metrics and its optimizer.

    Args:
        model: A compiled model, all of whose variables exist.
        with_metrics: Whether the sums of the metrics are part of it.

    Returns:
        A dict of plain values.
    """
    variables = _variables(model, with_metrics)
    return {
        "variables": [_description(*pair) for pair in variables],
        "values": [_value(variable) for _, variable in variables],
        "scales": [
            [name, _scale(holder)]
            for name, holder in rate_holders(model.optimizer)
        ],
    }


def set_model_state(model, state, with_metrics=True):
    """Puts a model into a state.

    Args:
        model: A compiled model, all of whose variables exist.
        state: What `model_state` returned, in this or in another process.
        with_metrics: What `model_state` got.

    Raises:
        ValueError: If the state is that of another model.
    """
    variables = _variables(model, with_metrics)
    _require_the_same(
        state["variables"], [_description(*pair) for pair in variables]
    )
    for (_, variable), value in zip(variables, state["values"], strict=True):
        variable.assign(ops.convert_to_tensor(value, dtype=variable.dtype))
    rescaled = False
    holders = rate_holders(model.optimizer)
    for (_, holder), (_, scale) in zip(holders, state["scales"], strict=False):
        rescaled = _set_scale(holder, scale) or rescaled
    if rescaled:
        # The old function has the schedule as it was traced into it.
        model.make_train_function(force=True)


def _variables(model, with_metrics):
    kinds = {
        "variable": model.variables,
        "metric": model.metrics_variables if with_metrics else [],
        "optimizer variable": model.optimizer.variables,
    }
    seen = set()
    variables = []
    for kind, members in kinds.items():
        for variable in members:
            if id(variable) not in seen:
                seen.add(id(variable))
                variables.append((kind, variable))
    return variables


def _description(kind, variable):
    # Keras numbers the layers of a process through: the second model that a
    # notebook makes has `dense_3` where the first has `dense_1`.
    path = re.sub(r"_\d+(?=[_/]|$)", "", variable.path)
    return [kind, path, list(variable.shape), str(variable.dtype)]


def _value(variable):
    # On several devices, TensorFlow's value is not one tensor.
    if keras.backend.backend() != "tensorflow":
        variable = variable.value
    # A copy, since some backends hand out the memory that they train in.
    return np.array(ops.convert_to_numpy(variable))


def _require_the_same(saved, present):
    for index in range(max(len(saved), len(present))):
        before = saved[index] if index < len(saved) else None
        now = present[index] if index < len(present) else None
        if before != now:
            raise ValueError(
                "The backup is of another model. The first difference: "
                f"where the backup has {_words(before)}, this model has "
                f"{_words(now)}. Build and compile the model as it was when "
                "its training began, or take another `backup_dir` to start "
                "over."
            )


def _words(description):
    if description is None:
        return "nothing"
    kind, path, shape, dtype = description
    return f"the {kind} {path!r} of shape {tuple(shape)} and dtype {dtype}"


def _scale(holder):
    """The factor that a plateau has put on a schedule, or `None`."""
    schedule = held_rate(holder)
    return schedule.factor if isinstance(schedule, Scale) else None


def _set_scale(holder, factor):
    """Puts a factor on a schedule; whether that changed anything."""
    if not has_schedule(holder) or _scale(holder) == factor:
        return False
    schedule = held_rate(holder)
    if isinstance(schedule, Scale):
        schedule = schedule.schedule
    # A plain number as the schedule of a `Scale` is a schedule within it.
    if factor is not None:
        schedule = Scale(schedule, factor)
    holder.learning_rate = schedule
    return True


def history_state(history):
    """What a `keras.callbacks.History` has recorded, as plain values.

    Args:
        history: The callback, or `None` where a list of callbacks has none.

    Returns:
        A dict, or `None`.
    """
    if history is None:
        return None
    return {
        "epoch": list(history.epoch),
        "history": {
            name: plain(values) for name, values in history.history.items()
        },
    }


def set_history_state(history, state):
    """Makes a `keras.callbacks.History` go on from a state; see above."""
    if history is None or state is None:
        return
    history.epoch = list(state["epoch"])
    history.history = {k: list(v) for k, v in state["history"].items()}


def plain(value):
    """A number, array or tensor of any backend, or a list, as plain values."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    array = np.array(ops.convert_to_numpy(value))
    return array.item() if array.ndim == 0 else array
