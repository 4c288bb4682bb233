import json

import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import GroupMonitor

pytestmark = pytest.mark.any_backend

X = np.array([[3.0], [3.0], [-3.0], [3.0], [-3.0], [3.0]], "float32")
Y = np.array([1, 1, 0, 0, 0, 1])
GROUP = np.array(["a", "b", "b", "c", "c", "c"])


def model():
    """It predicts positive where the input is, and does not learn."""
    made = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, "sigmoid")]
    )
    made.set_weights([np.ones((1, 1)), np.zeros(1)])
    made.compile(
        keras.optimizers.SGD(0.0), "binary_crossentropy", run_eagerly=True
    )
    return made


def fit(monitor, epochs=1, callbacks=(), **arguments):
    return (
        model()
        .fit(
            X,
            Y,
            epochs=epochs,
            verbose=0,
            callbacks=[monitor, *callbacks],
            **arguments,
        )
        .history
    )


def test_the_worst_group_is_in_the_history_and_in_one_line(capsys):
    monitor = GroupMonitor(X, Y, GROUP)
    history = fit(monitor, epochs=2)
    third = pytest.approx(1 / 3)
    assert history["worst_group_accuracy"] == pytest.approx([2 / 3] * 2)
    assert history["group_gap_accuracy"] == [third] * 2
    assert monitor.values["a"] == [1.0, 1.0]
    lines = [line for line in capsys.readouterr().out.split("\n") if line]
    assert lines[1] == (
        "Epoch 2: GroupMonitor: accuracy of the worst group, 'c', 0.6667; of "
        "the best, 'b', 1; gap 0.3333; corrected for the worst of 3, 0.8333 "
        "(p 1)"
    )
    assert len(lines) == 2


def test_the_highest_false_positive_rate_is_the_worst():
    # Group a has no negative.
    monitor = GroupMonitor(X, Y, GROUP, "false_positive_rate", verbose=0)
    history = fit(monitor)
    assert history["worst_group_false_positive_rate"] == [0.5]
    assert history["group_gap_false_positive_rate"] == [0.5]
    assert monitor.values == {"a": [None], "b": [0.0], "c": [0.5]}


def test_later_callbacks_can_monitor_it():
    stopping = keras.callbacks.EarlyStopping(
        "worst_group_accuracy", patience=1, mode="max"
    )
    monitor = GroupMonitor(X, Y, GROUP, verbose=0)
    fit(monitor, epochs=9, callbacks=[stopping])
    assert monitor.epochs == [0, 1]


def test_it_reports_every_few_epochs_and_says_nothing_if_told(capsys):
    monitor = GroupMonitor(X, Y, GROUP, every=2, verbose=0)
    fit(monitor, epochs=5)
    assert monitor.epochs == [1, 3]
    assert capsys.readouterr().out == ""


def test_an_epoch_that_is_run_again_replaces_the_old_one():
    first = GroupMonitor(X, Y, GROUP, verbose=0)
    fit(first, epochs=3)
    second = GroupMonitor(X, Y, GROUP, verbose=0)
    second.restore(json.loads(json.dumps(first.state())))
    fit(second, epochs=4, initial_epoch=2)
    assert second.epochs == [0, 1, 2, 3]
    assert second.values["a"] == [1.0] * 4


def test_it_comes_back_from_its_configuration():
    monitor = GroupMonitor({"x": X}, Y, GROUP, "squared_error", every=3)
    config = json.loads(json.dumps(monitor.get_config()))
    again = GroupMonitor.from_config(config)
    np.testing.assert_array_equal(again.x["x"], X)
    np.testing.assert_array_equal(again.y, Y)
    assert again.group == GROUP.tolist()


def test_a_model_of_several_outputs_is_refused():
    inner = model()
    two = keras.Model(inner.inputs[0], inner.outputs * 2)
    monitor = GroupMonitor(X, Y, GROUP)
    monitor.set_model(two)
    with pytest.raises(ValueError, match="Received: 2 outputs"):
        monitor.on_epoch_end(0, {})


def test_intervals_and_correction_are_kept_and_in_the_history():
    monitor = GroupMonitor(X, Y, GROUP, verbose=0)
    history = fit(monitor)
    # Of one, two and three examples, at 5 % / 3 groups, in both directions.
    low, high = monitor.intervals["b"]
    assert low == pytest.approx((0.05 / 6) ** 0.5)
    assert high == 1.0
    # Three groups of so few examples differ no more than by chance.
    assert history["corrected_worst_group_accuracy"] == pytest.approx([5 / 6])
    assert monitor.corrected["a"] == pytest.approx(5 / 6)
    assert monitor.p_value == 1.0
    state = json.loads(json.dumps(monitor.state()))
    again = GroupMonitor(X, Y, GROUP, verbose=0)
    again.restore(state)
    assert again.intervals == monitor.intervals


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "text"),
        ("y", None),
        ("group", [None] * 6),
        ("metric", "auc"),
        ("threshold", None),
        ("batch_size", 0),
        ("every", 0),
        ("verbose", 2),
    ],
)
def test_bad_arguments_are_refused(name, value):
    arguments = {"x": X, "y": Y, "group": GROUP, name: value}
    with pytest.raises(ValueError, match=f"`{name}` of GroupMonitor must be"):
        GroupMonitor(**arguments)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"Received: \[6, 6, 5\]"):
        GroupMonitor(X, Y, GROUP[:5])
