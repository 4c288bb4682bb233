import keras
import numpy as np
import pytest

from keras_regopt.regularizers import KLSparsity
from keras_regopt.regularizers._activities import divisor
from keras_regopt.testing._backend import gradient, to_numpy

TARGET = 0.05


def divergence(mean):
    on = TARGET * np.log(TARGET / mean)
    return (on + (1 - TARGET) * np.log((1 - TARGET) / (1 - mean))).sum()


@pytest.mark.parametrize("shape", [(6, 5), (6, 3, 4, 5)])
def test_adds_the_divergence_of_the_mean_activities(shape):
    x = np.random.default_rng(0).uniform(0.01, 0.9, size=shape)
    layer = keras.layers.Activation(
        "linear", activity_regularizer=KLSparsity(0.1, TARGET)
    )
    layer(x.astype("float32"))
    mean = x.reshape(-1, 5).mean(axis=0)
    expected = 0.1 * divergence(mean)
    assert float(to_numpy(layer.losses[0])) == pytest.approx(expected, rel=1e-4)


def test_has_the_slope_of_the_notes():
    x = np.random.default_rng(0).uniform(0.01, 0.9, size=(6, 5))
    slope = gradient(KLSparsity(0.1, TARGET), x.astype("float32"))
    mean = x.mean(axis=0)
    # What is added to the derivative of the loss by the activity of a unit;
    # 1 / 6 is from the mean, 6 from what Keras divides by.
    expected = 0.1 * (-TARGET / mean + (1 - TARGET) / (1 - mean))
    expected = expected * float(divisor(x.astype("float32"))) / 6
    np.testing.assert_allclose(slope, np.tile(expected, (6, 1)), rtol=1e-4)


@pytest.mark.any_backend
def test_moves_the_mean_activities_to_the_target():
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 8)).astype("float32")
    hidden = keras.layers.Dense(
        6, activation="sigmoid", activity_regularizer=KLSparsity(1.0, TARGET)
    )
    model = keras.Sequential([keras.Input((8,)), hidden, keras.layers.Dense(8)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(x, x, batch_size=64, epochs=40, verbose=0)
    mean = keras.ops.convert_to_numpy(hidden(x)).mean(axis=0)
    assert np.all((mean > 0.02) & (mean < 0.15))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rate": -1}, "rate"),
        ({"target": 0}, "target"),
        ({"target": 1}, "target"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of KLSparsity must be"):
        KLSparsity(**arguments)
