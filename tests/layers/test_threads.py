"""One model that several threads call, as a server does."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from keras_regopt.layers import L0, MonteCarlo, WeightStandardization
from keras_regopt.testing.layers import often_switched

THREADS, CALLS = 4, 50


def uncertain(dense):
    inner = keras.Sequential([dense, keras.layers.Dropout(0.3, seed=1)])
    return MonteCarlo(inner, samples=200, return_std=False, seed=0)


@pytest.mark.parametrize(
    ("wrap", "tolerance"),
    [
        (WeightStandardization, 1e-5),
        (lambda dense: L0(dense, per="weight", seed=1), 1e-5),
        # Each call draws again; inputs that were exchanged would be 1 off.
        (uncertain, 0.3),
    ],
    ids=["WeightStandardization", "L0", "MonteCarlo"],
)
def test_threads_get_the_answers_to_their_own_inputs(wrap, tolerance):
    model = keras.Sequential([keras.Input((16,)), wrap(keras.layers.Dense(8))])
    x = np.random.default_rng(0).normal(size=(2, 16)).astype("float32")
    inputs = [keras.ops.convert_to_tensor(x * (i + 1)) for i in range(THREADS)]

    def answer(thread):
        outputs = model(inputs[thread], training=False)
        return keras.ops.convert_to_numpy(outputs)

    expected = [answer(thread) for thread in range(THREADS)]
    scale = np.abs(expected[0]).max()

    def errors(thread):
        return [
            np.abs(answer(thread) - expected[thread]).max() / scale
            for _ in range(CALLS)
        ]

    with often_switched(), ThreadPoolExecutor(THREADS) as pool:
        worst = np.max(list(pool.map(errors, range(THREADS))))
    assert worst < tolerance
    assert np.abs(answer(0) - expected[0]).max() / scale < tolerance
