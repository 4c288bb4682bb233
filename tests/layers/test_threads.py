"""Threads, and replicas that hand over in the middle, share one model."""

import sys
import threading

import keras
import numpy as np
import pytest

from keras_regopt.layers import (
    L0,
    ManifoldMixup,
    MonteCarlo,
    WeightStandardization,
)
from keras_regopt.layers._replaced_calls import replaced_calls
from keras_regopt.layers._replaced_weights import (
    find_weights,
    replaced,
    value_of,
)

LAYERS = {
    "WeightStandardization": WeightStandardization,
    "L0": lambda layer: L0(layer, per="weight", seed=1),
    "MonteCarlo": lambda layer: MonteCarlo(
        keras.Sequential([keras.layers.Dropout(0.5, seed=0), layer]),
        samples=3,
        spread=False,
        seed=0,
    ),
}


def together(*functions):
    """Runs functions in threads of their own and returns what they return."""
    results = [None] * len(functions)

    def run(place):
        results[place] = functions[place]()

    threads = [
        threading.Thread(target=run, args=(place,))
        for place in range(len(functions))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("name", LAYERS)
def test_four_threads_predict_with_one_model_as_one_does(name):
    layer = LAYERS[name](keras.layers.Dense(32))
    x = keras.ops.ones((2, 32))
    expected = keras.ops.convert_to_numpy(layer(x))

    def predict():
        return max(
            abs(keras.ops.convert_to_numpy(layer(x)) - expected).max()
            for _ in range(50)
        )

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        errors = together(*[predict] * 4)
    finally:
        sys.setswitchinterval(interval)
    errors.append(predict())
    assert None not in errors and max(errors) < 1e-5, errors


def test_two_threads_that_meet_inside_read_each_its_own_weights():
    layer = keras.layers.Dense(1, use_bias=False)
    layer.build((None, 1))
    layer.kernel.assign([[1.0]])
    places = find_weights("a test", layer, "kernel")
    meeting = threading.Barrier(2, timeout=60)

    def output(factor):
        with replaced(places, [value_of(places[0]) * factor]):
            meeting.wait()
            result = float(layer(np.ones((1, 1)))[0, 0])
            meeting.wait()
        return result

    assert together(lambda: output(2), lambda: output(3)) == [2, 3]
    assert float(layer(np.ones((1, 1)))[0, 0]) == 1
    assert vars(layer)["_kernel"] is places[0].variable


def test_two_threads_that_meet_inside_call_each_its_own():
    layer = keras.layers.Identity()
    meeting = threading.Barrier(2, timeout=60)

    def output(factor):
        def change(call, place):
            return lambda x: call(x) * factor

        with replaced_calls([layer], change):
            meeting.wait()
            result = float(layer(np.ones(1))[0])
            meeting.wait()
        return result

    assert together(lambda: output(2), lambda: output(3)) == [2, 3]
    assert float(layer(np.ones(1))[0]) == 1
    assert "call" not in vars(layer)


def test_a_prediction_beside_a_training_step_is_not_mixed():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    mixing = ManifoldMixup(model, [], seed=0)
    seen = []

    class Loss(keras.losses.Loss):
        def call(self, y, predicted):
            seen.extend(together(lambda: mixing._mixture))
            return keras.ops.mean((y - predicted) ** 2, -1)

    mixing.compile("sgd", Loss(), run_eagerly=True)
    mixing.fit(np.ones((2, 4)), np.ones((2, 4)), verbose=0)
    assert seen and set(seen) == {None}
