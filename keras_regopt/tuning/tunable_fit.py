"""A hypermodel whose training has hyperparameters as well."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from keras_regopt._validate import fail


class TunableFit(keras_tuner.HyperModel):
    """Makes the arguments of a training functions of the hyperparameters.

    Keras Tuner searches what stands in `build(hp)`; here the batch size, the
    number of epochs and the callbacks can be searched in the same way, with
    every tuner.

    Args:
        build: A function `build(hp)` that returns a compiled model.
        **arguments: Arguments of `Model.fit`, each a value or a function of
            `hp`. To `callbacks`, those that `search` gets are added.

    Raises:
        ValueError: If `build` is no function, or an argument is none of
            `Model.fit`.

    Examples:
        >>> def build(hp):
        ...     model = keras.Sequential([keras.layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> hypermodel = TunableFit(
        ...     build, batch_size=lambda hp: hp.Choice("batch_size", [4, 8])
        ... )
        >>> hp = keras_tuner.HyperParameters()
        >>> x = np.ones((8, 2))
        >>> history = hypermodel.fit(
        ...     hp, hypermodel.build(hp), x, x[:, :1], verbose=0
        ... )
        >>> history.params["steps"], hp.values
        (2, {'batch_size': 4})
    """

    def __init__(self, build: Callable[[Any], keras.Model], **arguments):
        super().__init__()
        if not callable(build):
            fail(self, "build", "a function that builds a model", build)
        known = inspect.signature(keras.Model.fit).parameters
        for name, value in arguments.items():
            if name not in known or name in ("self", "x", "y"):
                fail(self, name, "an argument of Model.fit", value)
        self.build_model = build
        self.arguments = arguments

    def build(self, hp):
        """A model; every hyperparameter of the training is declared, too."""
        model = self.build_model(hp)
        self._values(hp)
        return model

    def fit(self, hp, model, *args, **kwargs):
        """Trains a model; what stands here goes before what search() got."""
        values = self._values(hp)
        callbacks = values.pop("callbacks", None) or []
        callbacks = [*callbacks, *(kwargs.pop("callbacks", None) or [])]
        kwargs.update(values)
        return model.fit(*args, callbacks=callbacks, **kwargs)

    def _values(self, hp):
        return {
            name: value(hp) if inspect.isroutine(value) else value
            for name, value in self.arguments.items()
        }
