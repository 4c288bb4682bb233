import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import drive

from keras_regopt.callbacks import EarlyStopping, ReduceLROnPlateau

pytestmark = pytest.mark.any_backend

COLUMNS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=10
)


def logs_of(rows, names=("a_loss", "b_acc")):
    return [dict(zip(names, map(float, row), strict=True)) for row in rows]


@settings(deadline=None, max_examples=50)
@given(rows=COLUMNS, patience=st.integers(1, 3))
def test_several_monitors_stop_with_any_or_all_of_them(rows, patience):
    def without_gain(column, sign):
        """For every epoch, how many lie between it and the best so far."""
        best, waits = 0, []
        for epoch, value in enumerate(column):
            best = epoch if sign * value < sign * column[best] else best
            waits.append(epoch - best)
        return waits

    losses, accuracies = zip(*rows, strict=True)
    waits = list(
        zip(without_gain(losses, 1), without_gain(accuracies, -1), strict=True)
    )
    for combine in (any, all):
        expected = [
            epoch
            for epoch, pair in enumerate(waits)
            if combine(wait >= patience for wait in pair)
        ]
        stopper = EarlyStopping(
            ["a_loss", "b_acc"], patience=patience, combine=combine.__name__
        )
        model = drive(stopper, logs_of(rows))
        assert model.stop_training == bool(expected)
        assert stopper.stopped_epoch == (expected or [0])[0]


def test_the_first_of_several_monitors_decides_on_the_best_weights():
    rows = [(3, 1), (1, 1), (2, 9), (2, 9)]
    stopper = EarlyStopping(
        ["a_loss", "b_acc"], patience=9, restore_best_weights=True
    )
    model = drive(stopper, logs_of(rows))
    assert model.weights[0] == 1
    assert (stopper.best, stopper.best_epoch, stopper.wait) == (1.0, 1, 2)


def test_the_reason_names_those_that_gave_cause():
    stopper = EarlyStopping(
        ["a_loss", "b_acc"], patience=2, combine="all", check_finite=True
    )
    drive(stopper, logs_of([(1, 1)] * 3))
    assert stopper.stop_reason == (
        "a_loss has not improved for 2 epochs; "
        "b_acc has not improved for 2 epochs"
    )
    # What is broken stops whatever the others say.
    drive(stopper, logs_of([(1, 1), (1, "nan")]))
    assert stopper.stop_reason == "b_acc is nan"


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
def test_a_weighted_sum_is_watched_as_one_metric(make):
    rows = [(3, 0), (2, 1), (2, 0), (0, 0), (5, 9)]
    summed = make({"a_loss": 0.5, "b_acc": -2}, patience=9, min_delta=0.25)
    plain = make("loss", patience=9, min_delta=0.25)
    sums = [0.5 * loss - 2 * accuracy for loss, accuracy in rows]
    for callback, values in ((summed, logs_of(rows)), (plain, sums)):
        with_model(callback)
        for epoch, value in enumerate(values):
            logs = value if type(value) is dict else {"loss": value}
            callback.on_epoch_end(epoch, logs)
    assert summed.best == plain.best == -15.5
    assert summed.wait == plain.wait
    assert summed.best_epoch == 4


def with_model(callback):
    model = keras.Sequential()
    model.compile(keras.optimizers.SGD(0.1))
    callback.set_model(model)
    callback.on_train_begin()


def test_dicts_give_every_monitor_its_own_arguments():
    stopper = EarlyStopping(
        ["a", "b"],
        min_delta={"b": 5},
        patience=9,
        mode={"a": "min", "b": "max"},
        divergence_threshold={"a": 8.0},
    )
    drive(stopper, logs_of([(3, 1), (2, 2), (2, 20)], ("a", "b")))
    progress = stopper.state()["metrics"]
    assert [progress[name]["best_epoch"] for name in "ab"] == [1, 2]
    drive(stopper, logs_of([(3, 1), (9, 2)], ("a", "b")))
    assert stopper.stop_reason == "a is 9, beyond the divergence threshold 8"


def test_a_state_of_other_monitors_is_refused():
    with pytest.raises(
        ValueError, match=r"monitors \['a'\]. Received: \['b'\]"
    ):
        EarlyStopping("a").restore(EarlyStopping("b").state())


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
@pytest.mark.parametrize(
    ("monitor", "logs"),
    [
        (["loss", "a_loss"], {"loss": 1.0}),
        ({"loss": 1, "a_loss": 2}, {"loss": 1.0, "val_loss": 1.0}),
        (["loss", "val_a_loss"], {"loss": 1.0, "val_loss": 1.0}),
        # The one that validation would bring does not hide the other.
        (["val_loss", "a_loss"], {"loss": 1.0}),
        ({"val_loss": 1, "a_loss": 1}, {"loss": 1.0}),
    ],
)
def test_one_of_several_monitors_that_is_not_there_is_an_error(
    make, monitor, logs
):
    callback = make(monitor)
    with_model(callback)
    with pytest.raises(
        ValueError, match=r"hold: .*loss.*monitor='(val_)?a_loss'"
    ):
        callback.on_epoch_end(0, logs)


def test_epochs_without_validation_warn_and_are_not_counted():
    stopper = EarlyStopping(["val_loss", "loss"], patience=2)
    good, bare = {"loss": 1.0, "val_loss": 1.0}, {"loss": 1.0}
    with pytest.warns(UserWarning, match="'val_loss' is missing.*: loss"):
        drive(stopper, [bare, good, bare, good, bare, good, good])
    assert stopper.stopped_epoch == 5


def test_one_of_several_monitors_that_comes_and_goes_is_a_warning():
    stopper = EarlyStopping(["loss", "a_loss"], patience=2)
    good, bare = {"loss": 1.0, "a_loss": 1.0}, {"loss": 1.0, "val_loss": 1.0}
    with pytest.warns(UserWarning, match="'a_loss' is missing"):
        drive(stopper, [good, bare, good, good])
    assert stopper.stopped_epoch == 3


def test_a_subclass_may_compute_what_is_watched():
    class Smallest(EarlyStopping):
        def get_monitor_value(self, logs):
            return min(logs.values())

    stopper = Smallest("loss", patience=1)
    drive(stopper, logs_of([(3, 2), (1, 4), (4, 4)]))
    assert (stopper.best, stopper.stopped_epoch) == (1.0, 2)


def test_directions_of_a_sum_that_disagree_are_an_error():
    stopper = EarlyStopping({"loss": 1, "acc": 1})
    with pytest.raises(ValueError, match=r"negative weight.*mode='min'"):
        drive(stopper, [{"loss": 1.0, "acc": 1.0}])
    stopper = EarlyStopping({"loss": 1, "acc": 1}, mode="max")
    drive(stopper, [{"loss": 1.0, "acc": 1.0}])
    assert stopper.best == 2.0


def test_a_fit_stops_by_its_loss_and_accuracy():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    # Nothing is learned at this rate.
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["accuracy"])
    x, y = np.ones((4, 2)), np.ones((4, 1))
    stopper = EarlyStopping(
        ["val_loss", "val_accuracy"], patience=2, combine="all"
    )
    history = model.fit(
        x, y, validation_data=(x, y), epochs=5, verbose=0, callbacks=[stopper]
    )
    assert len(history.epoch) == 3


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("monitor", {"monitor": []}),
        ("monitor", {"monitor": {}}),
        ("monitor", {"monitor": ["loss", "loss"]}),
        ("monitor", {"monitor": ["loss", ""]}),
        ("monitor", {"monitor": {"loss": "much"}}),
        ("monitor", {"monitor": {"loss": 0}}),
        ("mode", {"monitor": ["loss"], "mode": {"acc": "max"}}),
        ("mode", {"monitor": ["loss"], "mode": {"loss": "high"}}),
        ("min_delta", {"monitor": ["loss"], "min_delta": {"loss": "small"}}),
    ],
)
def test_a_bad_argument_is_refused(make, argument, arguments):
    with pytest.raises(
        ValueError, match=f"`{argument}` of {make.__name__} must be"
    ):
        make(**arguments)


@pytest.mark.parametrize(
    "argument", ["baseline", "stopping_threshold", "divergence_threshold"]
)
def test_a_level_for_several_monitors_needs_their_names(argument):
    with pytest.raises(
        ValueError, match=f"`{argument}`.*a dict with the names"
    ):
        EarlyStopping(["loss", "acc"], **{argument: 0.5})


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
@pytest.mark.parametrize(
    ("monitor", "mode"),
    [
        (["loss", "acuracy"], "auto"),
        (["loss", "acuracy"], "min"),
        ({"loss": 1, "acuracy": -1}, "auto"),
        ("acuracy", "auto"),
    ],
)
def test_a_name_that_is_misspelt_is_an_error_that_names_the_right_one(
    make, monitor, mode
):
    callback = watching(make(monitor, mode=mode))
    with pytest.raises(ValueError, match=r"Did you mean 'accuracy'\?"):
        callback.on_epoch_end(0, {"accuracy": 0.5, "loss": 1.0})


def test_the_warning_of_a_missing_name_names_one_that_is_like_it():
    callback = watching(EarlyStopping("acc"))
    with pytest.warns(UserWarning, match=r"Did you mean 'accuracy'\?"):
        callback.on_epoch_end(0, {"accuracy": 0.5, "loss": 1.0})


def watching(callback):
    model = keras.Sequential()
    model.compile("sgd")
    callback.set_model(model)
    callback.on_train_begin()
    return callback
