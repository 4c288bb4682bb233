"""Lets Keras models train at one set of weights and be used with another.

An optimizer *switches weights* if it has the two methods `switch_to_training`
and `switch_to_evaluation`, as the schedule-free optimizers, `MSAM` and `SAM`
have. Each step begins with the first and ends with the second. Whatever runs
between two steps (validation, callbacks, checkpoints) sees the weights that the
model is used with, and so does whatever comes after an error.

A model with a train step of its own may have several optimizers, as attributes
or in lists and dicts. All of them are switched, but on JAX, where a step only
has the state of `model.optimizer`. One that makes a step and is not switched
is warned of.
"""

import contextlib
import contextvars
import functools
import warnings

import keras

from keras_regopt._optimizer_tree import has_members, parts_of, walk
from keras_regopt._train_step.features import SWITCHING, Feature

# The `Switching` of the train function that is running.
_RUNNING = contextvars.ContextVar("running_switching", default=None)


def switching_optimizers(optimizer):
    """The outermost optimizers within an optimizer that switch weights.

    Args:
        optimizer: An optimizer, or a wrapper around one or several.

    Returns:
        A list.
    """
    if hasattr(optimizer, "switch_to_training"):
        return [optimizer]
    return [s for o in parts_of(optimizer) for s in switching_optimizers(o)]


def note_step(optimizer):
    """Warns of a step in a train function that does not switch the weights.

    Args:
        optimizer: An optimizer that switches weights and makes a step.
    """
    if keras.backend.backend() == "torch":
        import torch

        # torch.compile knows no context variables.
        if torch.compiler.is_compiling():
            return
    switching = _RUNNING.get()
    if switching is not None:
        switching.note_step(optimizer)


class Switching(Feature):
    """Switches the weights before and after each step.

    On JAX this happens within the compiled step, elsewhere around the train
    function, which may make several steps.

    Args:
        model: The model.
        optimizers: The optimizers that it holds.
    """

    kind = SWITCHING

    def __init__(self, model, optimizers):
        self.optimizers = optimizers
        self._model_name = type(model).__name__
        self._compiled = {}
        self._noted = set()

    @classmethod
    def of(cls, model):
        """The feature for a model; `None` for one that never switches."""
        optimizers = _held_optimizers(model)
        switch = any(switching_optimizers(o) for o in optimizers)
        return (
            cls(model, optimizers) if switch or _may_have_more(model) else None
        )

    def around_step(self, model, step):
        optimizers = switching_optimizers(getattr(model, "optimizer", None))
        if keras.backend.backend() != "jax" or not optimizers:
            return step
        _refuse_nnx(optimizers)
        switched = functools.partial(_switched_state, model, optimizers)

        @functools.wraps(step)
        def switching_step(state, data):
            logs, state = step(switched(state, "switch_to_training"), data)
            return logs, switched(state, "switch_to_evaluation")

        return switching_step

    def around_function(self, model, function):
        optimizer = model.optimizer

        def train_function(*arguments):
            if model.optimizer is not optimizer:
                return function(*arguments)
            with self._at_work():
                return function(*arguments)

        return train_function

    def note_step(self, optimizer):
        """Warns, once, of an optimizer that is not among those switched."""
        if id(optimizer) in self._noted:
            return
        self._noted.add(id(optimizer))
        known = (o for held in self.optimizers for o in walk(held))
        if any(o is optimizer for o in known):
            return
        name = type(optimizer).__name__
        if keras.backend.backend() == "jax":
            where = "is not in its `optimizer`, the only one whose state Keras"
            where += " hands to a train step on JAX"
            remedy = "Compile the model with it, or"
        else:
            where = "is no attribute of it, nor in a list or dict of one"
            remedy = "Make it an attribute of the model, or"
        warnings.warn(
            f"{name} trains at other weights than those that a model is used "
            f"with, and makes steps in a train step of {self._model_name}, "
            f"but {where}. So `fit` will leave the weights where {name} trains "
            f"at. {remedy} call its `switch_to_evaluation()` after training.",
            stacklevel=2,
        )

    @contextlib.contextmanager
    def _at_work(self):
        """Context for a call of the train function."""
        token = _RUNNING.set(self)
        try:
            self._switch_all("switch_to_training")
            yield
        finally:
            _RUNNING.reset(token)
            self._switch_all("switch_to_evaluation")

    def _switch_all(self, name):
        if keras.backend.backend() == "jax":
            # There it happens within the train step.
            return
        for held in self.optimizers:
            for optimizer in switching_optimizers(held):
                # Before the first step there is nothing to switch.
                if optimizer.built:
                    self._switch(optimizer, name)()

    def _switch(self, optimizer, name):
        switch = getattr(optimizer, name)
        if keras.backend.backend() != "tensorflow":
            return switch
        key = (id(optimizer), name)
        if key not in self._compiled:
            import tensorflow as tf

            # TensorFlow warns of functions traced too often by their code, of
            # which the switches of several models have the same. A partial has
            # none.
            partial = functools.partial(switch)
            self._compiled[key] = tf.function(partial, autograph=False)
        return self._compiled[key]


def _held_optimizers(model):
    """The optimizers that a model holds, in attributes, lists and dicts.

    On JAX, that is `model.optimizer` alone.
    """
    optimizer = getattr(model, "optimizer", None)
    held = [] if optimizer is None else [optimizer]
    if keras.backend.backend() != "jax":
        # What TensorFlow keeps to save a model by begins with "_self".
        attributes = vars(model).items()
        _collect([v for k, v in attributes if k[:5] != "_self"], held, set())
    return held


def _collect(value, found, seen):
    """Adds the optimizers in a value, each once, to a list."""
    if isinstance(value, keras.optimizers.Optimizer):
        if not any(value is o for o in found):
            found.append(value)
    elif isinstance(value, (dict, list, tuple, set)) and id(value) not in seen:
        seen.add(id(value))
        for v in value.values() if isinstance(value, dict) else value:
            _collect(v, found, seen)


def _may_have_more(model):
    """Whether optimizers that nobody finds yet may step in a train function."""
    return (
        "train_step" in vars(model)
        or type(model).train_step is not keras.Model.train_step
        or has_members(getattr(model, "optimizer", None))
    )


def _refuse_nnx(optimizers):
    if not keras.config.is_nnx_enabled():
        return
    names = ", ".join(type(optimizer).__name__ for optimizer in optimizers)
    raise ValueError(
        f"{names} cannot train a model while NNX is enabled in Keras, "
        "since such an optimizer trains at other weights than those that "
        "the model is used with. Disable NNX, or use another optimizer."
    )


def _switched_state(model, optimizers, state, name):
    """The state of JAX's trainer with the weights switched in it."""
    trainable, others, optimizer_values, metrics = state
    # A part of the weights that the optimizer knows may be frozen.
    variables = [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]
    values = [*trainable, *others, *optimizer_values]
    mapping = list(zip(variables, values, strict=True))
    with keras.StatelessScope(mapping) as scope:
        for optimizer in optimizers:
            getattr(optimizer, name)()
    values = [scope.get_current_value(v) for v in variables]
    frozen = len(trainable)
    own = frozen + len(others)
    return values[:frozen], values[frozen:own], values[own:], metrics
