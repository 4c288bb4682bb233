import pickle

import keras
import numpy as np
import pytest
from averaged_fit import AtEpochEnds, assert_same, fit, small_model
from keras.optimizers import SGD

from keras_regopt.callbacks import EMA, LAWA, SWA, WeightAveraging

each_average = pytest.mark.parametrize(
    "make",
    [
        lambda: EMA(0.7, warm_up=True),
        lambda: EMA(0.7, bias_correction=False),
        lambda: SWA(start=1),
        lambda: LAWA(2),
    ],
    ids=["ema", "from the start", "swa", "lawa"],
)


def optimizer():
    return SGD(0.05, momentum=0.9)


def whole(make):
    """A training that nothing interrupts: its model and its callback."""
    model, callback = small_model(optimizer()), WeightAveraging(make())
    fit(model, callback, epochs=5, validate=True)
    return model, callback


class BackUp(keras.callbacks.Callback):
    """Takes a backup of everything at a given moment."""

    def __init__(self, callback, hook, epoch):
        super().__init__()
        self.callback, self.epoch = callback, epoch
        setattr(self, hook, self.back_up)

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def back_up(self, *arguments, **options):
        if getattr(self, "now", None) == self.epoch:
            weights = self.model.get_weights()
            state = pickle.dumps(self.callback.state())
            slots = [v.numpy() for v in self.model.optimizer.variables]
            self.saved = (weights, state, slots)


@each_average
@pytest.mark.parametrize("first", [True, False])
def test_goes_on_from_a_backup_to_the_last_bit(make, first):
    model, callback = small_model(optimizer()), WeightAveraging(make())
    backup = BackUp(callback, "on_epoch_end", 2)
    # First in the list it sees the averages too, because of the validation.
    order = [backup, callback] if first else [callback, backup]
    fit(model, *order, epochs=4, validate=True)
    weights, state, slots = backup.saved

    other = small_model(optimizer())
    other.optimizer.build(other.trainable_variables)
    other.set_weights(weights)
    other.optimizer.set_weights(slots)
    resumed = WeightAveraging(make())
    state = pickle.loads(state)
    resumed.restore(state)
    # An array of the state is not shared with the callback.
    if state["set_aside"]:
        state["set_aside"][0][:] = 0
    fit(other, resumed, epochs=5, first_epoch=3, validate=True)
    expected, uninterrupted = whole(make)
    assert_same(other.get_weights(), expected.get_weights())
    assert resumed.steps == uninterrupted.steps
    assert resumed.samples == uninterrupted.samples
    ours, theirs = resumed.state(), uninterrupted.state()
    assert_same(ours["set_aside"], theirs["set_aside"])


@each_average
def test_fits_of_one_epoch_are_one_fit(make):
    model, state = small_model(optimizer()), None
    for epoch in range(5):
        part = WeightAveraging(make())
        if state is not None:
            part.restore(state)
        fit(model, part, epochs=epoch + 1, first_epoch=epoch, validate=True)
        state = part.state()
    assert_same(model.get_weights(), whole(make)[0].get_weights())


def test_a_restored_state_serves_predict_without_a_fit():
    model, after = small_model(), AtEpochEnds()
    callback = WeightAveraging("swa", overwrite=False)
    fit(model, callback, after)
    fresh = WeightAveraging("swa", overwrite=False)
    fresh.restore(callback.state())
    x = np.ones((3, 2), "float32")
    ours = model.predict(x, verbose=0, callbacks=[fresh])
    model.set_weights(after.seen[-1])
    np.testing.assert_array_equal(ours, model.predict(x, verbose=0))


def test_the_state_of_another_model_names_the_first_weight_that_differs():
    callback = WeightAveraging("swa")
    fit(small_model(), callback, epochs=1)
    other = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, name="wide")]
    )
    other.compile("sgd", "mse", run_eagerly=True)
    fresh = WeightAveraging("swa")
    fresh.restore(callback.state())
    with pytest.raises(
        ValueError, match=r"wide/kernel' has the shape \(2, 3\)"
    ):
        fit(other, fresh)
