import math
import unittest

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_versions import keras_test_module
from scripted import drive, in_parts

from keras_regopt.callbacks import EarlyStopping

keras_tests = keras_test_module("keras.src.callbacks.early_stopping_test")

NAN = float("nan")

# Run here as a whole: Keras' own tests, against our class.
EarlyStoppingTest = pytest.mark.any_backend(keras_tests.EarlyStoppingTest)


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr("keras.src.callbacks.EarlyStopping", EarlyStopping)


@pytest.mark.any_backend
def test_keras_own_tests_make_our_class(monkeypatch):
    class Broken(EarlyStopping):
        def __init__(self, **kwargs):
            raise NotImplementedError("ours was made")

    monkeypatch.setattr("keras.src.callbacks.EarlyStopping", Broken)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(EarlyStoppingTest)
    outcome = unittest.TestResult()
    tests.run(outcome)
    made = [error for _, error in outcome.errors if "ours was made" in error]
    assert len(made) == tests.countTestCases() >= 7


@pytest.mark.any_backend
def test_is_one_of_keras_callbacks():
    assert isinstance(EarlyStopping(), keras.callbacks.EarlyStopping)


@pytest.mark.any_backend
@pytest.mark.parametrize(("mode", "sign"), [("min", 1), ("max", -1)])
def test_nan_in_the_first_epochs_never_becomes_the_best(mode, sign):
    stopper = EarlyStopping("loss", patience=4, mode=mode)
    model = drive(stopper, [NAN, NAN, 3.0 * sign, 2.0 * sign, 2.5 * sign])
    assert (stopper.best, stopper.best_epoch) == (2.0 * sign, 3)
    assert (stopper.wait, model.stop_training) == (1, False)


@pytest.mark.any_backend
def test_patience_counts_epochs_of_nan():
    stopper = EarlyStopping("loss", patience=2)
    assert drive(stopper, [1.0, NAN, NAN, 0.5]).stop_training
    assert (stopper.stopped_epoch, stopper.best) == (2, 1.0)


@pytest.mark.any_backend
def test_a_training_of_nan_alone_stops_and_keeps_its_last_weights():
    stopper = EarlyStopping("loss", patience=3, restore_best_weights=True)
    model = drive(stopper, [NAN] * 6)
    assert (stopper.stopped_epoch, stopper.best) == (2, None)
    assert model.weights[0] == 2


@pytest.mark.any_backend
def test_the_first_epoch_never_ends_the_training():
    stopper = EarlyStopping("loss", patience=0)
    drive(stopper, [NAN, NAN])
    assert stopper.stopped_epoch == 1


def test_best_weights_do_not_follow_the_model():
    stopper = EarlyStopping("loss", patience=2, restore_best_weights=True)
    assert drive(stopper, [2.0, 1.0, 3.0, 3.0]).weights[0] == 1


@pytest.mark.any_backend
def test_infinite_values_compare_as_numbers():
    stopper = EarlyStopping("loss", patience=2)
    drive(stopper, [math.inf, 1e30, -math.inf, NAN])
    assert (stopper.best, stopper.best_epoch) == (-math.inf, 2)


@pytest.mark.any_backend
def test_a_missing_metric_warns_and_is_not_counted():
    stopper = EarlyStopping("val_loss", patience=1)
    with pytest.warns(UserWarning, match="'val_loss' is missing.*nothing"):
        model = drive(stopper, [None, 2.0, None, 1.0], monitor="val_loss")
    assert not model.stop_training
    assert (stopper.best, stopper.best_epoch) == (1.0, 3)


@pytest.mark.any_backend
@settings(deadline=None, max_examples=50)
@given(
    losses=st.lists(
        st.sampled_from([NAN, 0.0, 1.0, 1.5, 2.0, 3.0]), min_size=1, max_size=9
    ),
    patience=st.integers(0, 4),
    min_delta=st.sampled_from([0, 0.75]),
    parts=st.lists(st.integers(1, 3), min_size=9, max_size=9),
)
def test_parts_with_carried_state_stop_as_one_training_by_the_rule(
    losses, patience, min_delta, parts
):
    def make():
        return EarlyStopping(
            "loss", min_delta, patience, restore_best_weights=True
        )

    whole = make()
    model = drive(whole, losses)
    assert (whole.stopped_epoch, whole.best_epoch) == by_the_rule(
        losses, patience, min_delta
    )

    part, part_model = in_parts(make, losses, parts)
    assert repr(part.state()) == repr(whole.state())
    assert part_model.weights == model.weights


def by_the_rule(losses, patience, min_delta):
    """Epochs of the stop and of the best value, by looking back."""
    best = []
    for epoch, loss in enumerate(losses):
        if loss == loss and all(
            loss + min_delta < losses[b] for b in best[-1:]
        ):
            best.append(epoch)
        # With NaN at the start, the wait begins before the first epoch.
        waited = epoch - (best[-1] if best else -1)
        if waited >= max(patience, 1) and epoch > 0:
            return epoch, best[-1] if best else 0
    return 0, best[-1] if best else 0


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("monitor", 3),
        ("monitor", ""),
        ("min_delta", NAN),
        ("patience", -1),
        ("patience", 2.5),
        ("verbose", "auto"),
        ("mode", "minimum"),
        ("baseline", NAN),
        ("restore_best_weights", "yes"),
        ("start_from_epoch", -1),
    ],
)
def test_a_bad_argument_is_refused(argument, value):
    with pytest.raises(
        ValueError, match=f"`{argument}` of EarlyStopping must be"
    ):
        EarlyStopping(**{argument: value})


@pytest.mark.any_backend
@settings(deadline=None, max_examples=100)
@given(
    losses=st.lists(
        st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, -1.0]),
        min_size=1,
        max_size=9,
    ),
    arguments=st.fixed_dictionaries(
        {
            "min_delta": st.sampled_from([0, 0.75, -0.75]),
            "patience": st.integers(0, 3),
            "mode": st.sampled_from(["min", "max"]),
            "baseline": st.sampled_from([None, 0.5, 2.5]),
            "restore_best_weights": st.booleans(),
            "start_from_epoch": st.integers(0, 3),
        }
    ),
)
def test_does_what_keras_does_wherever_values_are_finite(losses, arguments):
    seen = []
    for make in (EarlyStopping, keras.callbacks.EarlyStopping):
        stopper = make("loss", **arguments)
        model = drive(stopper, losses)
        names = ("wait", "best", "best_epoch", "stopped_epoch")
        seen.append([getattr(stopper, name) for name in names])
        seen[-1].append(model.stop_training)
    assert seen[0] == seen[1]
