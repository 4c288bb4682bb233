import keras
import numpy as np
import pytest

from keras_regopt.optimizers import Adam, Lookahead, RAdam

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def batches():
    for start in range(0, 8, 2):
        yield X[start : start + 2], X[start : start + 2, :1]


@pytest.mark.any_case
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


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has graphs"
)
@pytest.mark.parametrize("jit", [False, True])
def test_is_built_in_a_compiled_step_on_gradients_from_outside(jit):
    import tensorflow as tf

    variable = keras.Variable(np.ones((4, 2), "float32"))
    dense = keras.Variable(np.ones((2,), "float32"))
    rows = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([1]), (4, 2))
    optimizer = RAdam(0.1)

    @tf.function(jit_compile=jit, autograph=False)
    def step():
        optimizer.apply([tf.ones((2,)), rows], [dense, variable])

    step()
    moved = keras.ops.convert_to_numpy(variable)[:, 0] != 1
    assert moved.tolist() == [False, True, False, False]
