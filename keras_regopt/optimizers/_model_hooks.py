"""Lets Keras models train at one set of weights and be used with another.

Keras tells an optimizer neither which model it trains nor when. So this wraps
the one method, `make_train_function`, from which `fit` and `train_on_batch`
of every model take their train step. A model whose optimizer does not switch
weights gets the train step that it would get without this.

An optimizer *switches weights* if it has the two methods `switch_to_training`
and `switch_to_evaluation`, as the schedule-free optimizers, `MSAM` and `SAM`
have. Each step begins with the first and ends with the second. Whatever runs
between two steps (validation, callbacks, checkpoints) sees the weights that the
model is used with, and so does whatever comes after an error.
"""

import contextlib
import functools

import keras


def hook_models():
    """Wraps `keras.Model.make_train_function`; once, however often called."""
    original = keras.Model.make_train_function
    if getattr(original, "switches_weights", False):
        return

    @functools.wraps(original)
    def make_train_function(self, force=False):
        optimizers = switching_optimizers(getattr(self, "optimizer", None))
        if not optimizers:
            return original(self, force=force)
        if keras.backend.backend() == "jax":
            with _switching_train_step(self, optimizers):
                return original(self, force=force)
        made = original(self, force=force)
        if not getattr(self.train_function, "switches_weights", False):
            self.train_function = _switching(self, optimizers)
        return made

    make_train_function.switches_weights = True
    keras.Model.make_train_function = make_train_function


def switching_optimizers(optimizer):
    """The optimizers within an optimizer that switch weights.

    Args:
        optimizer: An optimizer, or a wrapper around one or several, or `None`.

    Returns:
        A list.
    """
    if hasattr(optimizer, "switch_to_training"):
        return [optimizer]
    inner = [getattr(optimizer, n, None) for n in ("inner", "inner_optimizer")]
    return [
        found
        for o in [*inner, *getattr(optimizer, "optimizers", [])]
        if o is not None
        for found in switching_optimizers(o)
    ]


def _switching(model, optimizers):
    """A train function of TensorFlow or torch, which changes variables."""
    train_function, optimizer = model.train_function, model.optimizer
    enter = [_compiled(o.switch_to_training) for o in optimizers]
    leave = [_compiled(o.switch_to_evaluation) for o in optimizers]

    def switching_train_function(*arguments):
        if model.optimizer is not optimizer:
            return train_function(*arguments)
        try:
            _run(enter, optimizers)
            return train_function(*arguments)
        finally:
            _run(leave, optimizers)

    switching_train_function.switches_weights = True
    return switching_train_function


def _run(switches, optimizers):
    for switch, optimizer in zip(switches, optimizers, strict=True):
        # Before the first step there is nothing to switch.
        if optimizer.built:
            switch()


def _compiled(switch):
    if keras.backend.backend() != "tensorflow":
        return switch

    import tensorflow as tf

    # TensorFlow warns of functions traced too often by their code, of which
    # the switches of several models have the same. A partial has none.
    return tf.function(functools.partial(switch), autograph=False)


@contextlib.contextmanager
def _switching_train_step(model, optimizers):
    """Context in which JAX finds a train step that changes its state."""
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
