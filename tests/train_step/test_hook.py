"""Features are built into a train function in one order, and are put back."""

import itertools

import keras
import numpy as np
import pytest

from keras_regopt import _train_step
from keras_regopt._train_step.features import ORDER, SWITCHING, Feature
from keras_regopt.optimizers import SAM

X, Y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
CALLBACK_KINDS = [kind for kind in ORDER if kind != SWITCHING]


class Noting(Feature):
    """Writes down when it acts."""

    def __init__(self, kind, notes):
        self.kind = kind
        self.notes = notes

    def start(self, model):
        self.notes.append(("start", self.kind))

    def end(self, model):
        self.notes.append(("end", self.kind))

    def around_step(self, model, step):
        return self._noting("step", step)

    def around_function(self, model, function):
        return self._noting("function", function)

    def _noting(self, what, function):
        def noting(*arguments):
            self.notes.append((what, self.kind))
            return function(*arguments)

        return noting


class Own(keras.Sequential):
    """Makes its train function without asking Keras."""

    def make_train_function(self, force=False):
        if force or self.train_function is None:
            keras.Sequential.make_train_function(self, force)
            self.made = True


def model_of(optimizer="sgd", cls=keras.Sequential):
    model = cls([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", run_eagerly=True)
    return model


def fit(model):
    model.fit(X, Y, verbose=0)


def left_behind(model):
    names = {"make_train_function", "train_step", "_train_step_hook"}
    return names & set(vars(model))


def test_features_act_from_the_outside_to_the_inside():
    acted = [("function", kind) for kind in CALLBACK_KINDS]
    acted += [("step", kind) for kind in CALLBACK_KINDS]
    model, notes = model_of(), []
    for order in itertools.permutations(CALLBACK_KINDS):
        for kind in order:
            _train_step.register(model, Noting(kind, notes))
        model.make_train_function(force=True)
        notes.clear()
        model.train_on_batch(X, Y)
        assert notes == acted


def test_what_looks_at_gradients_sees_the_weights_of_the_training():
    model, seen = model_of(SAM(keras.optimizers.SGD(0.1), rho=0.5)), []

    class Looking(Noting):
        def around_step(self, model, step):
            def looking(*arguments):
                if keras.backend.backend() == "jax":
                    kernel = arguments[0][0][0]
                else:
                    kernel = model.trainable_variables[0]
                seen.append(np.array(keras.ops.convert_to_numpy(kernel)))
                return step(*arguments)

            return looking

    fit(model)
    _train_step.register(model, Looking(_train_step.GRADIENTS, []))
    model.make_train_function(force=True)
    before = model.get_weights()[0]
    fit(model)
    # The first batch climbed: 0.5 along the gradient of kernel and bias.
    assert 0.1 < np.linalg.norm(seen[0] - before) < 0.5
    _train_step.unregister(model, _train_step.GRADIENTS)
    assert left_behind(model) == {"_train_step_hook"}


def test_nothing_is_left_of_what_is_unregistered():
    model, notes = model_of(), []
    for kind in CALLBACK_KINDS:
        _train_step.register(model, Noting(kind, notes))
    fit(model)
    assert left_behind(model) == {"make_train_function", "_train_step_hook"}
    for kind in CALLBACK_KINDS:
        _train_step.unregister(model, kind)
        # Once more does no harm.
        _train_step.unregister(model, kind)
    assert not left_behind(model)
    assert [n for n in notes if n[0] == "end"] == [
        ("end", kind) for kind in CALLBACK_KINDS
    ]
    notes.clear()
    model.make_train_function(force=True)
    fit(model)
    assert not notes
    assert not hasattr(model.train_function, "has_features")


def test_the_next_fit_drops_what_one_that_failed_has_left():
    class Failing(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            for kind in (_train_step.GRADIENTS, _train_step.FREEZING):
                feature = Noting(kind, notes)
                feature.ends_with_fit = kind == _train_step.GRADIENTS
                _train_step.register(model, feature)
            model.make_train_function(force=True)

        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model, notes = model_of(), []
    plain = model.fit
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, verbose=0, callbacks=[Failing()])
        assert ("step", _train_step.GRADIENTS) in notes
        notes.clear()
        fit(model)
        assert [n for n in notes if n[1] == _train_step.GRADIENTS] == [
            ("end", _train_step.GRADIENTS)
        ]
        # For those that stay until they are told.
        assert ("step", _train_step.FREEZING) in notes
        assert model.fit == plain
        notes.clear()


@pytest.mark.any_backend
def test_a_second_of_a_kind_takes_the_place_of_the_first():
    model, first, second = model_of(), [], []
    for notes in (first, second):
        _train_step.register(model, Noting(_train_step.GRADIENTS, notes))
    fit(model)
    assert [what for what, _ in first] == ["start", "end"]
    assert [what for what, _ in second] == ["start", "function", "step"]


@pytest.mark.any_backend
def test_a_feature_that_cannot_start_is_not_registered():
    class Failing(Noting):
        def start(self, model):
            raise ValueError("cannot start")

    model, notes = model_of(), []
    with pytest.raises(ValueError, match="cannot start"):
        _train_step.register(model, Failing(_train_step.GRADIENTS, notes))
    assert not left_behind(model)
    fit(model)
    assert not notes


@pytest.mark.any_backend
def test_serves_a_model_with_a_method_of_its_own():
    model, notes = model_of(cls=Own), []
    _train_step.register(model, Noting(_train_step.GRADIENTS, notes))
    fit(model)
    assert model.made
    assert ("step", _train_step.GRADIENTS) in notes


@pytest.mark.any_backend
def test_lets_calls_through_under_a_method_that_was_replaced_since():
    model, notes, made = model_of(), [], []
    _train_step.register(model, Noting(_train_step.GRADIENTS, notes))
    below = model.make_train_function

    def replaced_since(force=False):
        made.append(force)
        return below(force)

    object.__setattr__(model, "make_train_function", replaced_since)
    _train_step.unregister(model, _train_step.GRADIENTS)
    assert model.make_train_function is replaced_since
    notes.clear()
    model.make_train_function(force=True)
    fit(model)
    assert made == [True, False]
    assert not notes


@pytest.mark.any_backend
def test_a_step_of_another_length_is_still_switched_after_a_callback():
    optimizer = SAM(keras.optimizers.SGD(0.1), rho=0.5)
    model = model_of(optimizer)
    _train_step.register(model, Noting(_train_step.GRADIENTS, []))
    fit(model)
    _train_step.unregister(model, _train_step.GRADIENTS)
    model.make_train_function(force=True)
    before = model.get_weights()
    fit(model)
    fit(model)
    # The weights came back from the top after each of the steps.
    moved = [
        np.abs(a - b).max()
        for a, b in zip(model.get_weights(), before, strict=True)
    ]
    assert 0 < max(moved) < 1
