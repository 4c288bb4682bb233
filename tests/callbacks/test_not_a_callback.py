import keras
import numpy as np
import pytest

from keras_regopt import callbacks

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    ("part", "remedy"),
    [
        (callbacks.EMA(0.99), r"WeightAveraging\(EMA"),
        (callbacks.SWA(), r"WeightAveraging\(SWA"),
        (callbacks.LAWA(), r"WeightAveraging\(LAWA"),
        (
            callbacks.GeneralizationLoss(),
            r"EarlyStopping\(criterion=GeneralizationLoss",
        ),
    ],
)
def test_a_part_of_a_callback_names_the_callback_it_belongs_to(part, remedy):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((2, 1))
    with pytest.raises(ValueError, match=remedy):
        model.fit(x, x, verbose=0, callbacks=[part])
