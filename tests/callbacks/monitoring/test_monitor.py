import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.callbacks import EarlyStopping, ReduceLROnPlateau

pytestmark = pytest.mark.any_backend


def watching(monitor, model=None, **arguments):
    stopper = EarlyStopping(monitor, **arguments)
    stopper.set_model(model or keras.Sequential())
    stopper.on_train_begin()
    return stopper


@pytest.mark.parametrize(
    ("monitor", "direction"),
    [
        ("loss", ops.less),
        ("a_loss", ops.less),
        ("val_decoder_loss", ops.less),
        ("val_relative_error", ops.less),
        ("val_top_5_accuracy", ops.greater),
        ("head_acc", ops.greater),
    ],
)
def test_the_end_of_a_name_tells_the_direction(monitor, direction):
    stopper = watching(monitor)
    stopper.on_epoch_end(0, {monitor: 1.0})
    assert stopper.monitor_op is direction


def distance(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def share_accuracy(y_true, y_pred):
    return ops.mean(ops.cast(y_true == y_pred, "float32"), axis=-1)


def two_headed_model():
    inputs = keras.Input((2,))
    a = keras.layers.Dense(1, name="a")(inputs)
    b = keras.layers.Dense(1, name="b")(inputs)
    model = keras.Model(inputs, {"a": a, "b": b})
    model.compile(
        "sgd",
        {"a": "mse", "b": "mse"},
        metrics={
            "a": [keras.metrics.R2Score(name="score"), distance],
            "b": [share_accuracy, keras.metrics.mean_squared_error],
        },
    )
    return model


def test_metrics_of_several_outputs_and_functions_tell_it():
    directions = {
        "a_loss": ops.less,
        "val_a_score": ops.greater,
        "b_share_accuracy": ops.greater,
        "val_b_mean_squared_error": ops.less,
    }
    x = np.ones((4, 2), "float32")
    y = {"a": np.arange(4.0), "b": np.arange(4.0)}
    stoppers = {monitor: EarlyStopping(monitor) for monitor in directions}
    history = two_headed_model().fit(
        x,
        y,
        validation_data=(x, y),
        verbose=0,
        callbacks=list(stoppers.values()),
    )
    for monitor, stopper in stoppers.items():
        assert stopper.monitor_op is directions[monitor]
        assert stopper.best == history.history[monitor][0]


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
def test_an_unknown_direction_is_an_error_that_lists_the_logs(make):
    model = two_headed_model()
    x, y = np.ones((4, 2)), {"a": np.ones(4), "b": np.ones(4)}
    with pytest.raises(
        ValueError, match=r"mode='max'.*a_distance, a_loss, a_score"
    ):
        model.fit(x, y, verbose=0, callbacks=[make("a_distance")])


@pytest.mark.parametrize("mode", ["min", "max"])
def test_an_explicit_mode_beats_the_name(mode):
    stopper = watching("loss", mode=mode)
    stopper.on_epoch_end(0, {"loss": 1.0})
    assert stopper.monitor_op is (ops.less if mode == "min" else ops.greater)


def test_min_delta_holds_in_both_directions_and_keeps_its_sign():
    for mode, sign in (("min", -1), ("max", 1)):
        stopper = watching("x", mode=mode, min_delta=0.5, patience=9)
        for epoch, step in enumerate([0.0, 0.5, 0.75, 1.0, 1.5]):
            stopper.on_epoch_end(epoch, {"x": sign * step})
        assert (stopper.best, stopper.min_delta) == (1.5 * sign, 0.5)


def test_tensors_in_the_logs_become_numbers():
    stopper = watching("loss")
    stopper.on_epoch_end(0, {"loss": ops.convert_to_tensor([2.0])})
    assert type(stopper.best) is float
    stopper.on_epoch_end(1, {"loss": np.float32(1.0)})
    assert type(stopper.best) is float


def test_a_metric_of_several_numbers_is_refused():
    stopper = watching("loss")
    with pytest.raises(ValueError, match=r"single number.*\(2,\)"):
        stopper.on_epoch_end(0, {"loss": np.ones(2)})
