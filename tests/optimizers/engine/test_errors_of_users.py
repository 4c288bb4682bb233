import keras
import numpy as np
import pytest

from keras_regopt.optimizers import (
    MSAM,
    SAM,
    ExponentialMovingAverage,
    Lookahead,
    ScheduleFreeSGD,
)


class Faulty(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise RuntimeError("a mistake of the user")
        return x


@pytest.mark.parametrize(
    "make",
    [
        lambda: SAM(keras.optimizers.SGD(0.1)),
        lambda: MSAM(0.1),
        lambda: ExponentialMovingAverage(keras.optimizers.SGD(0.1)),
        lambda: Lookahead(SAM(keras.optimizers.SGD(0.1))),
        lambda: ScheduleFreeSGD(0.1),
    ],
)
def test_an_error_of_a_train_step_comes_out_as_it_is(make):
    model = keras.Sequential(
        [keras.Input((2,)), Faulty(), keras.layers.Dense(1)]
    )
    model.compile(make(), "mse")
    with pytest.raises(RuntimeError, match="a mistake of the user"):
        model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0)
