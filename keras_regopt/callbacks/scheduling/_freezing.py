"""Freezing a part of a model while `fit` runs."""

import contextlib
import warnings

import keras

from keras_regopt.callbacks._override import override, take_back

_KIND = "frozen variables"


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
    if keras.backend.backend() == "jax":
        # A new function, since JAX keeps what it has compiled by it.
        forget_frozen(model)
        override(
            model,
            "train_step",
            _KIND,
            lambda step: _complete_train_step(model, step, trainable),
        )
    model.make_train_function(force=True)


def forget_frozen(model):
    """Undoes what `make_train_function` changed in the train step."""
    take_back(model, "train_step", _KIND)


def _complete_train_step(model, train_step, trainable):
    """A train step of JAX that knows frozen variables.

    There, an optimizer takes the values of all its variables at once. This
    one gets the frozen ones too, which have no gradient.
    """

    def complete_train_step(state, data):
        optimizer = model.optimizer
        apply = optimizer.stateless_apply
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

    return complete_train_step


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
