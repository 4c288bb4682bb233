"""Lets Keras models train at one set of weights and be used with another.

Keras tells an optimizer neither which model it trains nor when. So this wraps
the one method, `make_train_function`, from which `fit` and `train_on_batch`
of every model take their train step. A model whose optimizer does not switch
weights, and which has no train step of its own, gets the train step that it
would get without this.

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

from keras_regopt.optimizers.engine._torch import is_compiling

# The `_Switches` of the train function that is running.
_RUNNING = contextvars.ContextVar("running_switches", default=None)


def hook_models():
    """Wraps `keras.Model.make_train_function`; once, however often called."""
    original = keras.Model.make_train_function
    if getattr(original, "switches_weights", False):
        return

    @functools.wraps(original)
    def make_train_function(self, force=False):
        optimizers = model_optimizers(self)
        switching = [s for o in optimizers for s in switching_optimizers(o)]
        if not switching and not _may_have_more(self):
            return original(self, force=force)
        with _jax_train_step(self):
            made = original(self, force=force)
        switches = getattr(self.train_function, "switches_weights", None)
        if switches is None:
            switches = _Switches(self)
            self.train_function = _switching(self, switches)
        switches.optimizers = optimizers
        return made

    make_train_function.switches_weights = True
    keras.Model.make_train_function = make_train_function


def model_optimizers(model):
    """The optimizers that a model holds, in attributes, lists and dicts.

    On JAX, that is `model.optimizer` alone.

    Args:
        model: A model.

    Returns:
        A list.
    """
    optimizer = getattr(model, "optimizer", None)
    held = [] if optimizer is None else [optimizer]
    if keras.backend.backend() != "jax":
        # What TensorFlow keeps to save a model by begins with "_self".
        attributes = vars(model).items()
        _collect([v for k, v in attributes if k[:5] != "_self"], held, set())
    return held


def switching_optimizers(optimizer):
    """The optimizers within an optimizer that switch weights.

    Args:
        optimizer: An optimizer, or a wrapper around one or several.

    Returns:
        A list.
    """
    if hasattr(optimizer, "switch_to_training"):
        return [optimizer]
    return [s for o in _members(optimizer) for s in switching_optimizers(o)]


def note_step(optimizer):
    """Warns of a step in a train function that does not switch the weights.

    Args:
        optimizer: An optimizer that switches weights and makes a step.
    """
    if keras.backend.backend() == "torch" and is_compiling():
        # torch.compile knows no context variables.
        return
    switches = _RUNNING.get()
    if switches is not None:
        switches.note_step(optimizer)


def _members(optimizer):
    """The optimizers that stand directly within another one."""
    one = [getattr(optimizer, n, None) for n in ("inner", "inner_optimizer")]
    # Of Keras' `MultiOptimizer`.
    several = getattr(optimizer, "_inner_optimizers", [])
    return [o for o in [*one, *several] if o is not None]


def _within(optimizer):
    yield optimizer
    for member in _members(optimizer):
        yield from _within(member)


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
        or hasattr(getattr(model, "optimizer", None), "_inner_optimizers")
    )


def _switching(model, switches):
    """A train function with what happens before and after it."""
    train_function, optimizer = model.train_function, model.optimizer

    def switching_train_function(*arguments):
        if model.optimizer is not optimizer:
            return train_function(*arguments)
        with switches.at_work():
            return train_function(*arguments)

    switching_train_function.switches_weights = switches
    return switching_train_function


class _Switches:
    """What is done to weights before and after a call of a train function.

    Args:
        model: The model.
    """

    def __init__(self, model):
        self.optimizers = []
        self._model_name = type(model).__name__
        self._compiled = {}
        self._noted = set()

    @contextlib.contextmanager
    def at_work(self):
        """Context for the call."""
        token = _RUNNING.set(self)
        try:
            self._run("switch_to_training")
            yield
        finally:
            _RUNNING.reset(token)
            self._run("switch_to_evaluation")

    def note_step(self, optimizer):
        """Warns, once, of an optimizer that is not among those switched."""
        if id(optimizer) in self._noted:
            return
        self._noted.add(id(optimizer))
        known = (o for held in self.optimizers for o in _within(held))
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

    def _run(self, name):
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


@contextlib.contextmanager
def _jax_train_step(model):
    """Context in which JAX finds a train step that changes its state."""
    optimizer = getattr(model, "optimizer", None)
    optimizers = switching_optimizers(optimizer)
    if keras.backend.backend() != "jax" or not optimizers:
        yield
        return
    if keras.config.is_nnx_enabled():
        names = ", ".join(type(optimizer).__name__ for optimizer in optimizers)
        raise ValueError(
            f"{names} cannot train a model while NNX is enabled in Keras, "
            "since such an optimizer trains at other weights than those that "
            "the model is used with. Disable NNX, or use another optimizer."
        )
    train_step = model.train_step

    def switched(state, name):
        trainable, others, optimizer_values, metrics = state
        # A part of the weights that the optimizer knows may be frozen.
        variables = [
            *model.trainable_variables,
            *model.non_trainable_variables,
            *model.optimizer.variables,
        ]
        values = [*trainable, *others, *optimizer_values]
        with keras.StatelessScope(
            list(zip(variables, values, strict=True))
        ) as scope:
            for optimizer in optimizers:
                getattr(optimizer, name)()
        values = [scope.get_current_value(v) for v in variables]
        frozen = len(trainable)
        own = frozen + len(others)
        return values[:frozen], values[frozen:own], values[own:], metrics

    @functools.wraps(train_step)
    def switching_train_step(state, data):
        logs, state = train_step(switched(state, "switch_to_training"), data)
        return logs, switched(state, "switch_to_evaluation")

    had = vars(model).get("train_step")
    object.__setattr__(model, "train_step", switching_train_step)
    try:
        yield
    finally:
        if had is None:
            object.__delattr__(model, "train_step")
        else:
            object.__setattr__(model, "train_step", had)
