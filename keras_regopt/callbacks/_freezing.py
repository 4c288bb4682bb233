"""Freezing a part of a model while `fit` runs."""

import contextlib
import functools
import warnings

import keras


class TrainableFlags:
    """What of a model is trainable, to be brought back later.

    Args:
        model: A built Keras model.
    """

    def __init__(self, model):
        self.model = model
        self._layers = [(x, x.trainable) for x in model._flatten_layers()]
        self._variables = [(v, v.trainable) for v in model.weights]

    def restore(self, frozen=()):
        """Makes everything trainable that was so.

        Args:
            frozen: Layers to freeze instead, with all that is inside.
        """
        # The outer layers come first, and set the inner ones as well.
        for layer, trainable in self._layers:
            layer.trainable = trainable
        for variable, trainable in self._variables:
            variable.trainable = trainable
        for layer in frozen:
            layer.trainable = False

    def __deepcopy__(self, memo):
        # It watches a model and does not own it.
        return self


def make_train_function(model, trainable):
    """Makes the train function of a model anew, of which a part is frozen.

    Args:
        model: A compiled Keras model. Its optimizer goes on with the slots of
            all variables.
        trainable: The variables that the optimizer was built with.
    """
    if keras.backend.backend() != "jax":
        model.make_train_function(force=True)
        return
    with _complete_train_step(model, trainable):
        model.make_train_function(force=True)


@contextlib.contextmanager
def _complete_train_step(model, trainable):
    """Context in which JAX finds a train step that knows frozen variables.

    There, an optimizer takes the values of all its variables at once. This
    one gets the frozen ones too, which have no gradient.
    """
    train_step, optimizer = model.train_step, model.optimizer
    apply = optimizer.stateless_apply

    @functools.wraps(train_step)
    def complete_train_step(state, data):
        frozen = dict(
            zip(map(id, model.non_trainable_variables), state[1], strict=True)
        )

        def apply_to_all(optimizer_values, gradients, values):
            keys = list(map(id, model.trainable_variables))
            gradients = dict(zip(keys, gradients, strict=True))
            values = {**frozen, **dict(zip(keys, values, strict=True))}
            values, optimizer_values = apply(
                optimizer_values,
                [gradients.get(id(v)) for v in trainable],
                [values[id(v)] for v in trainable],
            )
            values = dict(zip(map(id, trainable), values, strict=True))
            return [values[key] for key in keys], optimizer_values

        with (
            _replaced(optimizer, "stateless_apply", apply_to_all),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "Gradients do not exist")
            return train_step(state, data)

    with _replaced(model, "train_step", complete_train_step):
        yield


@contextlib.contextmanager
def _replaced(owner, name, function):
    """Context in which an object has another method."""
    own = vars(owner).get(name)
    object.__setattr__(owner, name, function)
    try:
        yield
    finally:
        if own is None:
            object.__delattr__(owner, name)
        else:
            object.__setattr__(owner, name, own)
