import keras
import numpy as np
import pytest
from scripted import FakeModel

from keras_regopt.callbacks import EarlyStopping
from keras_regopt.callbacks.stopping import _patience

pytestmark = pytest.mark.any_backend

NAN = float("nan")


class Time:
    """A clock that goes on when told."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(_patience, "time", time)
    return time


def in_seconds(patience, **arguments):
    stopper = EarlyStopping(
        "loss", patience=patience, patience_unit="seconds", **arguments
    )
    stopper.set_model(FakeModel())
    return stopper


def run(stopper, time, seconds, losses, first_epoch=0):
    """Epochs that take so many seconds each; returns the stopped epoch."""
    stopper.on_train_begin()
    for epoch, loss in enumerate(losses, first_epoch):
        time.now += seconds
        stopper.on_epoch_end(epoch, {} if loss is None else {"loss": loss})
        if stopper.model.stop_training:
            break
    stopper.on_train_end()
    return stopper.stopped_epoch


def test_patience_in_seconds_lasts_from_the_best_epoch_on(time):
    assert run(in_seconds(10), time, 4, [2, 1, 1, 1, 1, 1]) == 4
    assert run(in_seconds(12), time, 4, [2, 1, 1, 1, 1, 1]) == 4
    assert run(in_seconds(12.5), time, 4, [2, 1, 1, 1, 1, 1]) == 5
    stopper = in_seconds(10)
    run(stopper, time, 4, [2, 1, 1, 1, 1, 1])
    assert stopper.wait == 12
    assert stopper.stop_reason == "loss has not improved for 12 seconds"


@pytest.mark.filterwarnings("ignore:EarlyStopping does nothing")
def test_epochs_without_the_metric_take_time_too(time):
    assert run(in_seconds(10), time, 4, [1, None, None, None, 1, 1]) == 4


def test_epochs_before_the_first_to_look_at_take_none(time):
    stopper = in_seconds(10, start_from_epoch=3)
    # NaN is no improvement, which would set the wait to zero anyway.
    assert run(stopper, time, 4, [NAN] * 9) == 5


def test_time_between_two_parts_of_a_training_does_not_count(time):
    first, second = in_seconds(10), in_seconds(10)
    run(first, time, 4, [1, 1])
    state = first.state()
    time.now += 1000
    second.restore(state)
    time.now += 1000
    assert run(second, time, 4, [1, 1, 1], first_epoch=2) == 3
    assert second.wait == 12


def test_time_within_an_epoch_that_was_cut_off_counts(time):
    first, second = in_seconds(10), in_seconds(10)
    first.on_train_begin()
    first.on_epoch_end(0, {"loss": 1})
    time.now += 7
    # A backup in the middle of the epoch, and time that is lost after it.
    state = first.state()
    time.now += 1000
    second.restore(state)
    second.on_train_begin()
    time.now += 2
    second.on_epoch_end(1, {"loss": 1})
    assert (second.wait, second.model.stop_training) == (9, False)


def test_a_second_training_starts_its_clock_anew(time):
    stopper = in_seconds(10)
    stopper.on_train_begin()
    stopper.on_epoch_end(0, {"loss": 1})
    time.now += 7
    stopper.on_train_end()
    time.now += 1000
    assert run(stopper, time, 4, [NAN] * 9) == 2


def linear_model(**options):
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(1, kernel_initializer="zeros"),
        ]
    )
    # Nothing is learned at this rate.
    model.compile(keras.optimizers.SGD(0.0, **options), "mse")
    return model


def in_steps(patience):
    return EarlyStopping("loss", patience=patience, patience_unit="steps")


def fit(model, stopper, epochs=8, first_epoch=0):
    return model.fit(
        np.ones((6, 2)),
        np.ones((6, 1)),
        batch_size=2,
        epochs=epochs,
        initial_epoch=first_epoch,
        verbose=0,
        callbacks=[stopper],
    )


@pytest.mark.parametrize(
    ("patience", "accumulation", "epochs"),
    [(6, None, 3), (7, None, 4), (2, 3, 3)],
)
def test_patience_in_steps_counts_those_of_the_optimizer(
    patience, accumulation, epochs
):
    model = linear_model(gradient_accumulation_steps=accumulation)
    stopper = in_steps(patience)
    assert len(fit(model, stopper).epoch) == epochs
    # Also where the optimizer has made some before.
    assert len(fit(model, stopper).epoch) == epochs


def test_parts_in_steps_stop_as_one_training_whatever_the_optimizer_counts():
    for fresh_optimizer in (True, False):
        model, state = linear_model(), in_steps(7).state()
        for epoch in range(8):
            if fresh_optimizer:
                model = linear_model()
            stopper = in_steps(7)
            stopper.restore(state)
            fit(model, stopper, epoch + 1, epoch)
            state = stopper.state()
            if model.stop_training:
                break
        assert (epoch, stopper.wait) == (3, 9)
