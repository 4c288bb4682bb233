import keras
import numpy as np
import pytest

from keras_regopt.optimizers import Adam, Lookahead, RAdam

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def batches():
    for start in range(0, 8, 2):
        yield X[start : start + 2], X[start : start + 2, :1]


# What Keras says when it finds out how long the data is.
@pytest.mark.filterwarnings("ignore:.*ran out of data")
@pytest.mark.parametrize(
    "make", [RAdam, Adam, lambda: Lookahead("sgd")], ids=["own", "drop", "wrap"]
)
def test_counts_the_steps_of_data_of_unknown_length(make):
    layer = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((4,)), layer])
    optimizer = make()
    model.compile(optimizer, "mse", jit_compile=False)
    for _ in range(3):
        model.fit(batches(), shuffle=False, verbose=0)
    # The own count of a wrapper around Keras' optimizers alone is ours.
    assert int(optimizer._iterations) == 12
