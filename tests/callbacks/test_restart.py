"""What replaces weights tells the optimizer, which goes on from the new ones.

`Lookahead` would pull them half way back to where it left them.
"""

import keras
import numpy as np
import pytest
from averaged_fit import fit, small_model
from keras.optimizers import SGD
from keras_versions import multi_optimizer

from keras_regopt.callbacks import (
    EMA,
    EarlyStopping,
    ReduceLROnPlateau,
    WeightAveraging,
)
from keras_regopt.optimizers import SAM, Lookahead

# So low that nothing else moves a weight.
RATE = 1e-7


def lookahead():
    return Lookahead(SGD(RATE), sync_period=2, slow_step_size=0.5)


OPTIMIZERS = {
    "ours": lookahead,
    "within Keras' loss scaling": lambda: keras.optimizers.LossScaleOptimizer(
        lookahead(), initial_scale=1.0
    ),
    "within Keras' collection": lambda: multi_optimizer(
        SGD(RATE), {".*kernel": lookahead()}
    ),
    "within ours": lambda: SAM(lookahead()),
}


class FarAway(keras.callbacks.Callback):
    """Trains the second epoch, and no other, with weights 100 off."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.set_weights([w + 100 for w in self.model.get_weights()])


def plateau():
    return ReduceLROnPlateau(
        "loss", patience=1, restore_best_weights=True, min_delta=0.1
    )


def stopping():
    return EarlyStopping("loss", patience=1, restore_best_weights=True)


def averaging():
    return WeightAveraging(EMA(0.5))


# What finds the optimizer within others has to do with no backend.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=() if name == "ours" else pytest.mark.any_backend
        )
        for name in OPTIMIZERS
    ],
)
@pytest.mark.parametrize("make", [plateau, stopping, averaging])
def test_training_goes_on_from_weights_that_were_put_in_place(make, name):
    model = small_model(OPTIMIZERS[name]())
    fit(model, make(), FarAway(), epochs=2)
    start = model.get_weights()
    fit(model, epochs=2)
    for now, then in zip(model.get_weights(), start, strict=True):
        np.testing.assert_allclose(now, then, atol=0.01)


def test_the_weights_go_on_within_a_fit():
    model = small_model(lookahead())
    start = model.get_weights()
    fit(model, FarAway(), plateau(), epochs=4)
    for now, then in zip(model.get_weights(), start, strict=True):
        np.testing.assert_allclose(now, then, atol=0.01)


def test_averages_for_validation_alone_leave_the_optimizer_as_it_was():
    model, twin = small_model(lookahead()), small_model(lookahead())
    fit(model, WeightAveraging(EMA(0.5), overwrite=False), FarAway(), epochs=3)
    fit(twin, FarAway(), epochs=3)
    for now, then in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(now, then)
