import numpy as np
import pytest

from keras_regopt.callbacks import GradientNormLogger, GradualUnfreezing
from keras_regopt.testing._backend import data_parallel, to_numpy
from keras_regopt.testing._contract import NotApplicable
from keras_regopt.testing._samples import data, dense_model


@pytest.mark.parametrize("callback", [GradientNormLogger, GradualUnfreezing])
def test_two_devices_train_and_log_as_one_does(callback):
    try:
        weights, history = data_parallel(lambda: fitted(callback()))
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    expected_weights, expected_history = fitted(callback())
    for own, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-6)
    # The names of the layers are counted.
    for own, expected in zip(
        history.values(), expected_history.values(), strict=True
    ):
        np.testing.assert_allclose(own, expected, rtol=1e-4)


def fitted(callback):
    model = dense_model("sgd")
    x, y = data()
    history = model.fit(
        x,
        y,
        batch_size=4,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(x, y),
        validation_batch_size=4,
        callbacks=[callback],
    )
    return [to_numpy(w) for w in model.weights], history.history
