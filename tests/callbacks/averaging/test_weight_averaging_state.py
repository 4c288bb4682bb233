import functools
import pickle

import keras
import numpy as np
import pytest
from averaged_fit import AtEpochEnds, assert_same, fit, small_model
from keras.optimizers import SGD

from keras_regopt.callbacks import EMA, LAWA, SWA, WeightAveraging

AVERAGES = {
    "ema": lambda: EMA(0.7, warm_up=True),
    "from the start": lambda: EMA(0.7, bias_correction=False),
    "swa": lambda: SWA(start=1),
    "lawa": lambda: LAWA(2),
}
each_average = pytest.mark.parametrize("name", AVERAGES)


def optimizer():
    return SGD(0.05, momentum=0.9)


def averaging(name):
    return WeightAveraging(AVERAGES[name]())


@functools.cache
def whole(name):
    """What a training that nothing interrupts leaves behind."""
    model, callback = small_model(optimizer()), averaging(name)
    fit(model, callback, epochs=4, validate=True)
    return model.get_weights(), callback.state()


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


@pytest.mark.any_case
@each_average
def test_goes_on_from_a_backup_to_the_last_bit(name):
    model, callback = small_model(optimizer()), averaging(name)
    backup = BackUp(callback, "on_epoch_end", 1)
    # First in the list it sees the averages too, because of the validation.
    order = [backup, callback] if name == "ema" else [callback, backup]
    fit(model, *order, epochs=2, validate=True)
    weights, state, slots = backup.saved

    other = small_model(optimizer())
    other.optimizer.build(other.trainable_variables)
    other.set_weights(weights)
    other.optimizer.set_weights(slots)
    resumed = averaging(name)
    state = pickle.loads(state)
    resumed.restore(state)
    # No array of the state is shared with the callback.
    if state["set_aside"]:
        state["set_aside"][0][:] = 0
    fit(other, resumed, epochs=4, first_epoch=2, validate=True)
    expected, state = whole(name)
    assert_same(other.get_weights(), expected)
    assert resumed.steps == state["steps"]
    assert resumed.samples == state["kept"]["samples"]
    assert_same(resumed.state()["set_aside"], state["set_aside"])


@pytest.mark.any_backend
@each_average
def test_fits_of_one_epoch_are_one_fit(name):
    model, state = small_model(optimizer()), None
    for epoch in range(4):
        part = averaging(name)
        if state is not None:
            part.restore(state)
        fit(model, part, epochs=epoch + 1, first_epoch=epoch, validate=True)
        state = part.state()
    assert_same(model.get_weights(), whole(name)[0])


@pytest.mark.any_backend
def test_goes_on_in_the_middle_of_an_epoch():
    def drive(callback, places):
        for epoch, batch in places:
            if batch == 0:
                callback.on_epoch_begin(epoch)
            weights = np.random.default_rng(5 * epoch + batch).normal(size=3)
            model.set_weights([weights[:2, None], weights[2:]])
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch)

    def begun(state=None):
        callback = WeightAveraging(EMA(0.7, warm_up=True, every=2))
        if state is not None:
            callback.restore(state)
        callback.set_model(model)
        callback.set_params({"steps": 5})
        callback.on_train_begin()
        return callback

    model = small_model()
    places = [(epoch, batch) for epoch in range(3) for batch in range(5)]
    whole, first = begun(), begun()
    drive(whole, places)
    drive(first, places[:8])
    second = begun(pickle.loads(pickle.dumps(first.state())))
    second.on_epoch_begin(1)
    drive(second, places[8:])
    assert second.steps == whole.steps == 15
    ours, theirs = second.state()["kept"], whole.state()["kept"]
    assert ours["samples"] == theirs["samples"] == 7
    assert_same(ours["values"], theirs["values"])


@pytest.mark.any_backend
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


@pytest.mark.any_backend
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
