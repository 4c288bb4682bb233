import keras
import pytest
from averaged_fit import (
    assert_close,
    fit,
    mean,
    small_model,
    trajectory,
)

from keras_regopt.callbacks import LAWA, WeightAveraging


@pytest.mark.any_backend
def test_averages_the_latest_samples_at_each_validation():
    seen = trajectory(5)
    model, callback = small_model(), WeightAveraging(LAWA(last=3))
    found = []

    class Look(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            found.append(self.model.get_weights())

    fit(model, callback, Look(), epochs=5, validate=True)
    epochs = seen[2::2]
    for epoch, weights in enumerate(found):
        assert_close(weights, mean(epochs[max(epoch - 2, 0) : epoch + 1]))
    assert len(found) == 5


def test_averages_every_few_steps():
    seen = trajectory(5)
    model = small_model()
    fit(model, WeightAveraging(LAWA(last=2, every=3, unit="step")), epochs=5)
    assert_close(model.get_weights(), mean([seen[6], seen[9]]))


@pytest.mark.any_backend
def test_keeps_no_more_than_the_latest():
    callback = WeightAveraging(LAWA(last=2))
    fit(small_model(), callback, epochs=5)
    assert callback.samples == 5
    assert len(callback.state()["kept"]["values"]) == 2
