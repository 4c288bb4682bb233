import keras
import numpy as np
import pytest

from keras_regopt.layers import L0


def as_array(x):
    return keras.ops.convert_to_numpy(x)


def built(layer, shape=(None, 50), log_alpha=None):
    layer.build(shape)
    if log_alpha is not None:
        for variable in layer.log_alphas:
            variable.assign(np.full(variable.shape, log_alpha))
    return layer


def ones(units=200, **arguments):
    dense = keras.layers.Dense(units, use_bias=False, kernel_initializer="ones")
    return L0(dense, seed=0, **arguments)


def open_probability(log_alpha, temperature=2 / 3):
    """P(gate != 0) by the paper, its equation 12."""
    return 1 / (1 + np.exp(-(log_alpha - temperature * np.log(0.1 / 1.1))))


@pytest.mark.any_backend
@pytest.mark.parametrize("log_alpha", [-1.0, 2.0])
def test_gates_are_distributed_as_the_hard_concrete(log_alpha):
    layer = built(ones(per="weight"), log_alpha=log_alpha)
    gates = as_array(layer(np.eye(50, dtype="float32"), training=True))
    # By numerical integration over the noise.
    u = (np.arange(200_000) + 0.5) / 200_000
    s = 1 / (1 + np.exp(-(np.log(u / (1 - u)) + log_alpha) * 1.5))
    expected = np.clip(1.2 * s - 0.1, 0, 1)
    tolerance = 5 * expected.std() / np.sqrt(gates.size)
    assert gates.mean() == pytest.approx(expected.mean(), abs=tolerance)
    # Wrong once in two million runs.
    p = open_probability(log_alpha)
    assert np.mean(expected != 0) == pytest.approx(p, abs=1e-4)
    tolerance = 5 * np.sqrt(p * (1 - p) / gates.size)
    assert np.mean(gates != 0) == pytest.approx(p, abs=tolerance)


@pytest.mark.parametrize(("per", "count"), [("unit", 3 * 5), ("weight", 3 * 4)])
def test_the_penalty_is_the_expected_number_of_weights(per, count):
    layer = L0(keras.layers.Dense(3), strength=0.5, per=per)
    built(layer, (None, 4), log_alpha=-1.0)
    layer(np.ones((1, 4), "float32"), training=True)
    expected = 0.5 * count * open_probability(-1.0)
    assert float(as_array(layer.losses[0])) == pytest.approx(expected, rel=1e-5)
    zeros = 1 - open_probability(-1.0)
    assert layer.expected_zeros == pytest.approx(zeros, rel=1e-5)


def test_gates_of_units_close_their_bias_too():
    dense = keras.layers.Dense(4, bias_initializer="ones")
    layer = built(L0(dense), (None, 3))
    layer.log_alphas[0].assign([-9.0, 9.0, 0.0, -9.0])
    np.testing.assert_allclose(layer.gates, [0, 1, 0.5, 0], atol=1e-6)
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    np.testing.assert_allclose(
        as_array(layer(x)), as_array(dense(x)) * layer.gates, rtol=1e-5
    )


@pytest.mark.any_backend
def test_gates_of_filters_and_of_a_recurrent_layer():
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    conv = L0(keras.layers.Conv1D(4, 2))
    conv(x)
    assert conv.gates.shape == (4,)
    lstm = L0(
        keras.layers.LSTM(4),
        per="weight",
        target=["kernel", "recurrent_kernel"],
    )
    lstm(x, training=True)
    assert [gate.shape for gate in lstm.gates] == [(3, 16), (4, 16)]


@pytest.mark.any_backend
def test_finds_the_inputs_that_matter():
    random = np.random.default_rng(0)
    x = random.normal(size=(128, 6)).astype("float32")
    y = 2 * x[:, :1] - 3 * x[:, 1:2]
    dense = keras.layers.Dense(1, use_bias=False)
    layer = L0(dense, 0.2, per="weight", initial_rate=0.2, seed=0)
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    x, y = np.tile(x, (100, 1)), np.tile(y, (100, 1))
    model.fit(x, y, batch_size=128, shuffle=False, verbose=0)
    found = layer.gates.ravel() > 0
    assert list(found) == [True, True, False, False, False, False]
    kernel = (as_array(dense.kernel) * layer.gates).ravel()
    # Not shrunk, as L1 would shrink them.
    np.testing.assert_allclose(kernel[:2], [2, -3], rtol=0.1)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"layer": keras.layers.LSTM(3)}, "layer"),
        ({"per": "row"}, "per"),
        ({"strength": -1}, "strength"),
        ({"initial_rate": 1.0}, "initial_rate"),
        ({"temperature": 0}, "temperature"),
        ({"target": 3}, "target"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of L0 must be"):
        L0(**{"layer": keras.layers.Dense(3), **arguments})
