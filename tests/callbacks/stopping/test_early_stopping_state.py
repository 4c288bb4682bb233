import copy
import json

import keras
import numpy as np
import pytest
from scripted import FakeModel, drive

from keras_regopt.callbacks import EarlyStopping

pytestmark = pytest.mark.any_backend

# The weights go from 0 to (2, -1) and come by the target of the validation.
X = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0], [1.0, 1.0]], "float32")
Y = X @ np.array([[2.0], [-1.0]], "float32")
VALIDATION = (X, X @ np.array([[1.5], [-0.3]], "float32"))


def linear_model():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "mse")
    return model


def fit(model, *callbacks, epochs, first_epoch=0):
    return model.fit(
        X,
        Y,
        batch_size=2,
        shuffle=False,
        validation_data=VALIDATION,
        epochs=epochs,
        initial_epoch=first_epoch,
        verbose=0,
        callbacks=list(callbacks),
    )


class Backup(keras.callbacks.Callback):
    """Keeps what a resumed training needs."""

    def __init__(self, guarded):
        super().__init__()
        self.guarded = guarded

    def on_epoch_end(self, epoch, logs=None):
        self.weights = self.model.get_weights()
        self.optimizer = [v.numpy() for v in self.model.optimizer.variables]
        self.state = self.guarded.state()
        self.stopped = self.model.stop_training

    def put_back(self, model, callback):
        model.set_weights(self.weights)
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(
            model.optimizer.variables, self.optimizer, strict=True
        ):
            variable.assign(value)
        callback.restore(self.state)


def test_fits_of_one_epoch_stop_as_one_fit_with_the_same_best_weights():
    def make():
        return EarlyStopping(patience=3, restore_best_weights=True)

    whole, model = make(), linear_model()
    fit(model, whole, epochs=12)
    assert whole.stopped_epoch == whole.best_epoch + 3 < 11

    backup = None
    for epoch in range(12):
        part, part_model = make(), linear_model()
        if backup:
            backup.put_back(part_model, part)
        backup = Backup(part)
        fit(part_model, part, backup, epochs=epoch + 1, first_epoch=epoch)
        if backup.stopped:
            break
    assert epoch == whole.stopped_epoch
    for name, value in whole.state().items():
        np.testing.assert_array_equal(backup.state[name], value)
    for ours, theirs in zip(
        part_model.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
        assert np.any(ours != backup.weights[0])


def test_a_state_holds_plain_values_and_copies():
    stopper = EarlyStopping(patience=3, restore_best_weights=True)
    fit(linear_model(), stopper, epochs=2)
    state = stopper.state()
    weights = state.pop("best_weights")
    assert json.loads(json.dumps(state)) == state
    assert {type(w) for w in weights} == {np.ndarray}
    assert weights[0] is not stopper.best_weights[0]


def test_a_fresh_state_can_be_restored():
    stopper = EarlyStopping()
    stopper.restore(EarlyStopping().state())
    assert stopper.state() == EarlyStopping().state()


def test_a_restored_state_survives_one_start_of_training():
    stopper = EarlyStopping("loss", patience=3)
    drive(stopper, [1.0, 2.0])
    other = EarlyStopping("loss", patience=3)
    other.restore(stopper.state())
    other.on_train_begin()
    assert (other.wait, other.best) == (1, 1.0)
    other.on_train_begin()
    assert (other.wait, other.best) == (0, None)


def test_a_state_restored_while_training_ends_with_it():
    stopper = EarlyStopping("loss", patience=3)
    drive(stopper, [1.0, 2.0])
    other = EarlyStopping("loss", patience=3)
    other.set_model(FakeModel())
    other.on_train_begin()
    other.restore(stopper.state())
    other.on_epoch_end(2, {"loss": 2.0})
    assert (other.wait, other.best) == (2, 1.0)
    other.on_train_end()
    other.on_train_begin()
    assert (other.wait, other.best) == (0, None)


def test_an_outlived_stop_is_not_reported_again(capsys):
    stopper = EarlyStopping("loss", patience=1, verbose=1)
    drive(stopper, [1.0, 2.0])
    assert "Epoch 2: early stopping" in capsys.readouterr().out
    other = EarlyStopping("loss", patience=1, verbose=1)
    other.restore(stopper.state())
    drive(other, [0.5], first_epoch=2)
    assert capsys.readouterr().out == ""
    assert other.stopped_epoch == 0


@pytest.mark.parametrize("state", [{}, {"wait": 1}, None, 3])
def test_a_foreign_state_is_refused(state):
    with pytest.raises(ValueError, match=r"`state` of EarlyStopping.restore"):
        EarlyStopping().restore(state)


def test_the_configuration_is_the_same_before_and_after_fits():
    stopper = EarlyStopping("loss", min_delta=0.01, patience=1)
    before = json.loads(json.dumps(stopper.get_config()))
    model = linear_model()
    for _ in range(2):
        fit(model, stopper, epochs=2)
        assert stopper.get_config() == before
    copied = EarlyStopping.from_config(before)
    assert copied.get_config() == before


def test_a_copy_after_use_shares_the_model_and_nothing_else():
    stopper = EarlyStopping(patience=3, restore_best_weights=True)
    model = linear_model()
    fit(model, stopper, epochs=2)
    copied = copy.deepcopy(stopper)
    assert copied.model is model
    assert repr(copied.state()) == repr(stopper.state())
    assert copied.best_weights[0] is not stopper.best_weights[0]
