import copy
import json
import unittest

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.optimizers import SGD
from keras.optimizers import LossScaleOptimizer as LossScale
from keras_versions import keras_test_module
from linear_fit import by_kernel_and_bias, cut_each_epoch, fit, linear_model

from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.optimizers import Lookahead
from keras_regopt.schedules.scale import Scale

keras_tests = keras_test_module("keras.src.callbacks.reduce_lr_on_plateau_test")

pytestmark = pytest.mark.any_backend

NAN = float("nan")


class ReduceLROnPlateauTest(keras_tests.ReduceLROnPlateauTest):
    """Run here as a whole: Keras' own tests, against our class."""

    @pytest.mark.xfail(
        raises=AssertionError,
        strict=True,
        reason="Keras refuses schedules; ours scales them, as the tests of "
        "test_plateau_rates.py show.",
    )
    def test_throws_when_optimizer_has_schedule(self):
        super().test_throws_when_optimizer_has_schedule()


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(
        "keras.src.callbacks.ReduceLROnPlateau", ReduceLROnPlateau
    )


def test_keras_own_tests_make_our_class(monkeypatch):
    class Broken(ReduceLROnPlateau):
        def __init__(self, **kwargs):
            raise NotImplementedError("ours was made")

    monkeypatch.setattr("keras.src.callbacks.ReduceLROnPlateau", Broken)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(
        keras_tests.ReduceLROnPlateauTest
    )
    outcome = unittest.TestResult()
    tests.run(outcome)
    made = [error for _, error in outcome.errors if "ours was made" in error]
    assert len(made) == tests.countTestCases() >= 6


def test_is_one_of_keras_callbacks():
    assert isinstance(ReduceLROnPlateau(), keras.callbacks.ReduceLROnPlateau)


def drive(callback, optimizer, values):
    """Calls the callback as `fit` does; returns the rates after each epoch."""
    model = linear_model(optimizer)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {} if value is None else {"loss": value})
        rates.append(round(float(model.optimizer.learning_rate), 6))
    callback.on_train_end()
    return rates


RATES = {
    "variable": lambda: SGD(0.1),
    "schedule": lambda: SGD(Scale(0.1, 1.0)),
    "wrapper": lambda: LossScale(Lookahead(SGD(Scale(0.1, 1.0)))),
}
each_kind_of_rate = pytest.mark.parametrize("make", RATES.values(), ids=RATES)


@each_kind_of_rate
def test_min_lr_bounds_the_cuts_and_ends_them(make):
    plateau = ReduceLROnPlateau(
        "loss", factor=0.5, patience=1, min_lr=0.03, cooldown=1
    )
    rates = drive(plateau, make(), [1.0] * 6)
    assert rates == [0.1, 0.05, 0.03, 0.03, 0.03, 0.03]
    # Without a cut there is no cooldown either.
    assert (plateau.cooldown_counter, plateau.wait) == (0, 3)


@each_kind_of_rate
def test_a_rate_below_min_lr_is_left_alone(make):
    plateau = ReduceLROnPlateau("loss", patience=1, min_lr=0.2)
    assert drive(plateau, make(), [1.0] * 3) == [0.1] * 3


@each_kind_of_rate
def test_nan_counts_for_patience_and_never_becomes_the_best(make):
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=2)
    rates = drive(plateau, make(), [NAN, 3.0, 2.0, NAN, NAN, 1.0])
    assert rates == [0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
    assert (plateau.best, plateau.wait) == (1.0, 0)


@each_kind_of_rate
def test_no_epoch_is_counted_during_the_cooldown(make):
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=2, cooldown=2)
    rates = drive(plateau, make(), [1.0] * 7)
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]


@pytest.mark.parametrize("patience", [0, 1])
def test_patience_of_zero_is_patience_of_one(patience):
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=patience)
    assert drive(plateau, SGD(0.1), [1.0, 0.5, 0.6]) == [0.1, 0.1, 0.05]


def test_a_missing_metric_warns_and_is_not_counted(recwarn):
    plateau = ReduceLROnPlateau("loss", patience=1)
    assert drive(plateau, SGD(0.1), [1.0, None, 0.5]) == [0.1] * 3
    # TensorFlow's own warnings are among them.
    (warned,) = [
        str(w.message) for w in recwarn.list if w.category is UserWarning
    ]
    assert "'loss' is missing from the logs. Available: learning_rate" in warned


@each_kind_of_rate
def test_a_cut_prints_the_new_rate(make, capsys):
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1, verbose=1)
    drive(plateau, make(), [1.0, 1.0])
    assert (
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05"
        in capsys.readouterr().out
    )


def test_a_cut_of_several_optimizers_prints_their_names(capsys):
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1, verbose=1)
    model = linear_model(by_kernel_and_bias())
    plateau.set_model(model)
    plateau.on_train_begin()
    for epoch in range(2):
        plateau.on_epoch_end(epoch, {"loss": 1.0})
    printed = capsys.readouterr().out
    assert "reducing rest learning rate to 0.01" in printed
    assert "reducing kernels learning rate to 0.01" in printed


def test_a_rate_that_is_a_function_is_refused():
    plateau = ReduceLROnPlateau("loss", patience=1)
    with pytest.raises(ValueError, match="`learning_rate` of SGD must be"):
        drive(plateau, SGD(lambda: 0.1), [1.0, 1.0])


def test_a_restored_state_survives_one_start_of_training():
    plateau = ReduceLROnPlateau("loss", patience=3)
    drive(plateau, SGD(0.1), [1.0, 2.0])
    other = ReduceLROnPlateau("loss", patience=3)
    other.restore(plateau.state())
    other.set_model(plateau.model)
    other.on_train_begin()
    assert other.state() == plateau.state()
    assert (other.wait, other.best) == (1, 1.0)
    other.on_train_begin()
    fresh = ReduceLROnPlateau("loss", patience=3)
    fresh.set_model(plateau.model)
    assert other.state() == fresh.state()


def test_configuration_and_copies_stay_the_same_over_fits():
    plateau = cut_each_epoch()
    before = json.loads(json.dumps(plateau.get_config()))
    model = linear_model(SGD(0.02))
    for _ in range(2):
        fit(model, plateau, epochs=2)
        assert plateau.get_config() == before
    assert ReduceLROnPlateau.from_config(before).get_config() == before
    copied = copy.deepcopy(plateau)
    assert copied.model is model
    assert copied.state() == plateau.state()


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("monitor", None),
        ("factor", 1.0),
        ("factor", 0.0),
        ("patience", -1),
        ("verbose", -1),
        ("mode", "low"),
        ("min_delta", "small"),
        ("cooldown", 1.5),
        ("min_lr", -0.1),
    ],
)
def test_a_bad_argument_is_refused(argument, value):
    with pytest.raises(
        ValueError, match=f"`{argument}` of ReduceLROnPlateau must be"
    ):
        ReduceLROnPlateau(**{argument: value})


@settings(deadline=None, max_examples=100)
@given(
    losses=st.lists(
        st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, -1.0]),
        min_size=1,
        max_size=9,
    ),
    arguments=st.fixed_dictionaries(
        {
            "factor": st.sampled_from([0.1, 0.5]),
            "patience": st.integers(0, 3),
            "mode": st.sampled_from(["min", "max"]),
            "min_delta": st.sampled_from([0, 0.75, -0.75]),
            "cooldown": st.integers(0, 2),
            "min_lr": st.sampled_from([0, 0.03]),
        }
    ),
)
def test_does_what_keras_does_wherever_values_are_finite(losses, arguments):
    seen = []
    for make in (ReduceLROnPlateau, keras.callbacks.ReduceLROnPlateau):
        plateau = make("loss", **arguments)
        rates = drive(plateau, SGD(0.1), losses)
        names = ("wait", "best", "cooldown_counter")
        seen.append([getattr(plateau, name) for name in names] + rates)
    assert seen[0] == seen[1]
