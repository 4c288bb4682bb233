"""Registers features and builds them into the train functions of models.

`fit` and `train_on_batch` take their train function from the model's
`make_train_function`. For a model with registered features, this one method of
this one object is replaced. An optimizer knows no model to register for, so
optimizers that switch weights wrap the method of `keras.Model`, once; a model
that has none of them gets the train function that Keras makes.
"""

import functools

import keras

from keras_regopt._model_hooks import wrap_models
from keras_regopt._train_step.features import ORDER, SWITCHING
from keras_regopt._train_step.overrides import replaced, set_method
from keras_regopt._train_step.switching import Switching

_HOOK = "_train_step_hook"


def hook_models():
    """Has all models look for optimizers that switch weights."""
    wrap_models("make_train_function", _make_train_function)


def register(model, feature):
    """Builds a feature into the train functions that are made from now on.

    Args:
        model: A compiled model.
        feature: The `Feature`, which takes the place of one of the same key.
    """
    unregister(model, feature.key)
    feature.start(model)
    _hook_of(model).add(feature)


def unregister(model, key):
    """Leaves a feature out of the train functions from now on.

    Args:
        model: The model.
        key: The `key` of the feature, which need not be registered.
    """
    hook = vars(model).get(_HOOK)
    feature = None if hook is None else hook.remove(key)
    if feature is not None:
        feature.end(model)


def remake_functions(model, train=False):
    """Has the compiled functions made again when they are needed.

    Args:
        model: The model.
        train: Whether to make the train function at once, as `fit` does
            before training begins.
    """
    model.train_function = model.test_function = model.predict_function = None
    if train:
        model.make_train_function()


def _make_train_function(model, original, force=False):
    """Makes the train function of any model, with all that acts in it."""
    hook = vars(model).get(_HOOK)
    if hook is not None and hook.is_making:
        return original(force=force)
    switching = Switching.of(model)
    if switching is not None:
        hook = _hook_of(model)
        hook.switch(switching, force or model.train_function is None)
    elif hook is not None:
        hook.remove(SWITCHING)
        hook = vars(model).get(_HOOK)
    if hook is None:
        return original(force=force)
    return hook.make(original, force)


def _hook_of(model):
    hook = vars(model).get(_HOOK)
    if hook is None:
        hook = _Hook(model)
        object.__setattr__(model, _HOOK, hook)
    return hook


class _Hook:
    """The features of one model.

    Attributes:
        is_making: Whether a train function is being made.
    """

    def __init__(self, model):
        self.is_making = False
        self._model = model
        self._features = {}
        self._replaced = self._next_fit = None

    def add(self, feature):
        """Takes a feature in; the first one replaces the model's method."""
        self._features[feature.key] = feature
        if self._replaced is None:
            model = self._model
            self._below = vars(model).get("make_train_function")
            self._replaced = functools.partial(
                _make_train_function, model, model.make_train_function
            )
            set_method(model, "make_train_function", self._replaced)
        if feature.ends_with_fit and self._next_fit is None:
            self._fit_below = vars(self._model).get("fit")
            self._next_fit = functools.partial(
                _fit_anew, self._model, self._model.fit
            )
            set_method(self._model, "fit", self._next_fit)

    def drop_leftovers(self):
        """Leaves out what a `fit` that failed could not unregister."""
        for key in [k for k, f in self._features.items() if f.ends_with_fit]:
            unregister(self._model, key)
        self._model.train_function = None

    def switch(self, switching, remakes):
        """Has the optimizers switched that the model holds now.

        Args:
            switching: The `Switching` for them.
            remakes: Whether the train function is made again, so that another
                one may be built into it.
        """
        if remakes:
            self._features[SWITCHING] = switching
        present = self._features.setdefault(SWITCHING, switching)
        present.optimizers = switching.optimizers

    def remove(self, key):
        """Takes a feature out and returns it, or `None`."""
        feature = self._features.pop(key, None)
        if not any(f.ends_with_fit for f in self._features.values()):
            self._put_back_fit()
        if not set(self._features) - {SWITCHING}:
            self._put_back_method()
        if not self._features and vars(self._model).get(_HOOK) is self:
            object.__delattr__(self._model, _HOOK)
        return feature

    def make(self, original, force):
        """Makes the train function by the method that the model had.

        Args:
            original: That method.
            force: Whether to make it again if there is one.

        Returns:
            What that method returned.
        """
        model, step = self._model, self._model.train_step
        # The innermost first.
        features = sorted(
            self._features.values(), key=lambda f: -ORDER.index(f.kind)
        )
        composed = step
        for feature in features:
            composed = feature.around_step(model, composed)
        made = self._make_with(composed, original, force)
        function = model.train_function
        if getattr(function, "has_features", False):
            return made
        if composed is not step and keras.backend.backend() == "torch":
            function = _with_step(model, composed, function)
        for feature in features:
            function = feature.around_function(model, function)
        if function is not model.train_function:
            function.has_features = True
            model.train_function = function
        return made

    def _make_with(self, step, original, force):
        self.is_making = True
        try:
            with replaced(self._model, "train_step", step):
                return original(force=force)
        finally:
            self.is_making = False

    def _put_back_method(self):
        model, method = self._model, self._replaced
        self._replaced = None
        # Where somebody else has replaced it since, ours lets calls through.
        if method and vars(model).get("make_train_function") is method:
            set_method(model, "make_train_function", self._below)

    def _put_back_fit(self):
        method, self._next_fit = self._next_fit, None
        if method and vars(self._model).get("fit") is method:
            set_method(self._model, "fit", self._fit_below)


def _fit_anew(model, fit, *arguments, **options):
    """The `fit` of a model in which an earlier one may have failed."""
    hook = vars(model).get(_HOOK)
    if hook is not None:
        hook.drop_leftovers()
    return fit(*arguments, **options)


def _with_step(model, step, function):
    """A train function of torch, which looks the step up in each call."""

    def train_function(*arguments):
        with replaced(model, "train_step", step):
            return function(*arguments)

    return train_function
