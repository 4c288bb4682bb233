import keras
import numpy as np
import pytest

from keras_regopt.layers import DropConnect


def as_array(x):
    return keras.ops.convert_to_numpy(x)


def dropped(layer, units):
    """The weights that a call in training used, one row for each input."""
    return as_array(layer(np.eye(units, dtype="float32"), training=True))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_single_weights_at_its_rate_and_keeps_the_mean(rate):
    dense = keras.layers.Dense(300, use_bias=False, kernel_initializer="ones")
    weights = dropped(DropConnect(dense, rate, seed=0), 100)
    # Five standard deviations of a binomial: wrong once in two million runs.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / weights.size)
    assert np.mean(weights == 0) == pytest.approx(rate, abs=tolerance)
    assert weights.mean() == pytest.approx(1, abs=tolerance / (1 - rate))
    np.testing.assert_allclose(weights[weights != 0], 1 / (1 - rate), rtol=1e-6)


def test_draws_entries_and_calls_independently():
    dense = keras.layers.Dense(200, use_bias=False, kernel_initializer="ones")
    layer = DropConnect(dense, 0.5, seed=0)
    first, second = (dropped(layer, 100) != 0 for _ in range(2))
    pairs = 20_000
    tolerance = 5 * np.sqrt(0.25 / pairs)
    for one, other in [
        (first, second),
        (first[1:], first[:-1]),
        (first[:, 1:], first[:, :-1]),
    ]:
        agreement = np.mean(one == other)
        assert agreement == pytest.approx(0.5, abs=tolerance * 1.01)


def test_is_the_layer_itself_in_inference():
    dense = keras.layers.Dense(3)
    layer = DropConnect(dense, 0.5)
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(as_array(layer(x)), as_array(dense(x)))


@pytest.mark.any_backend
def test_drops_the_named_weights_alone():
    lstm = keras.layers.LSTM(4, kernel_initializer="ones")
    layer = DropConnect(lstm, 0.99, target="recurrent_kernel", seed=0)
    x = np.random.default_rng(0).normal(size=(2, 1, 3)).astype("float32")
    # The first step has nothing to do with the recurrent weights.
    np.testing.assert_allclose(
        as_array(layer(x, training=True)), as_array(lstm(x)), rtol=1e-5
    )
    x = np.repeat(x, 3, axis=1)
    assert not np.allclose(as_array(layer(x, training=True)), as_array(lstm(x)))


@pytest.mark.any_backend
def test_dropped_weights_get_no_gradient():
    dense = keras.layers.Dense(50, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((20,)), DropConnect(dense, seed=0)])
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    expected = DropConnect(
        keras.layers.Dense(50, use_bias=False, kernel_initializer="ones"),
        seed=0,
    )
    kept = dropped(expected, 20) != 0
    before = as_array(dense.kernel)
    model.fit(np.ones((1, 20)), np.zeros((1, 50)), verbose=0)
    np.testing.assert_array_equal(as_array(dense.kernel) != before, kept)


@pytest.mark.any_backend
def test_trains_a_recurrent_layer_with_a_mask():
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            keras.layers.Embedding(6, 3, mask_zero=True),
            DropConnect(keras.layers.GRU(4), target="recurrent_kernel"),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]])
    model.fit(ids, np.ones((2, 1)), verbose=0)
    longer = np.pad(ids, ((0, 0), (0, 0)))
    longer[:, 3:] = 0
    short = as_array(model(ids[:, :3]))
    np.testing.assert_allclose(as_array(model(longer)), short, rtol=1e-5)


@pytest.mark.any_backend
def test_names_the_weights_that_there_are():
    layer = DropConnect(keras.layers.Embedding(5, 3))
    with pytest.raises(ValueError, match="embeddings"):
        layer(np.ones((2, 4), "int32"))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"layer": "dense"}, "layer"),
        ({"layer": keras.layers.Flatten(), "rate": 1}, "rate"),
        ({"layer": keras.layers.Flatten(), "target": []}, "target"),
        ({"layer": keras.layers.Flatten(), "seed": 0.5}, "seed"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of DropConnect must be"):
        DropConnect(**arguments)
