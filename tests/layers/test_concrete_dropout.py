import keras
import numpy as np
import pytest

from keras_regopt.layers import ConcreteDropout


def as_array(x):
    return keras.ops.convert_to_numpy(x)


def identity(rate, units=100, **arguments):
    """Dropout before the identity."""
    dense = keras.layers.Dense(
        units, use_bias=False, kernel_initializer="identity"
    )
    return ConcreteDropout(dense, initial_rate=rate, seed=0, **arguments)


def stated_losses(rate, kernel, count, weight=0.3, dropout=0.7):
    """The two terms of the paper, in float64."""
    entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    squares = np.sum(np.float64(kernel) ** 2)
    return weight * squares / (1 - rate) - dropout * count * entropy


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_adds_the_two_terms_of_the_paper_to_the_loss(rate):
    layer = ConcreteDropout(
        keras.layers.Dense(3),
        weight_regularizer=0.3,
        dropout_regularizer=0.7,
        initial_rate=rate,
    )
    for training in (False, True):
        layer(np.ones((2, 4), "float32"), training=training)
        (loss,) = layer.losses[-1:]
        expected = stated_losses(rate, as_array(layer.layer.kernel), 4)
        # Where the terms, of about 2, cancel, their rounding is left.
        assert float(as_array(loss)) == pytest.approx(
            expected, rel=1e-5, abs=2 * float(np.finfo("float32").eps)
        )


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_drops_at_its_rate_and_is_a_smooth_coin(rate):
    temperature = 0.1
    y = as_array(identity(rate)(np.ones((400, 100), "float32"), training=True))
    kept = y * (1 - rate)
    # The concrete distribution, by numerical integration over its noise.
    u = (np.arange(200_000) + 0.5) / 200_000
    logits = np.log(rate / (1 - rate)) + np.log(u / (1 - u))
    expected = 1 - 1 / (1 + np.exp(-logits / temperature))
    tolerance = 5 * expected.std() / np.sqrt(y.size)
    assert kept.mean() == pytest.approx(expected.mean(), abs=tolerance)
    share = np.mean(kept < 0.5)
    tolerance = 5 * np.sqrt(rate * (1 - rate) / y.size)
    assert share == pytest.approx(rate, abs=tolerance)


def test_drops_whole_feature_maps_along_its_axes():
    conv = keras.layers.DepthwiseConv2D(1, depthwise_initializer="ones")
    layer = ConcreteDropout(conv, axis=[1, 2], initial_rate=0.5, seed=0)
    y = as_array(layer(np.ones((3, 4, 5, 8), "float32"), training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert len(np.unique(y[:, 0, 0])) > 10


def test_is_the_layer_itself_in_inference():
    layer = identity(0.5)
    x = np.random.default_rng(0).normal(size=(3, 100)).astype("float32")
    np.testing.assert_array_equal(as_array(layer(x)), as_array(layer.layer(x)))


def fitted_rate(noise, dropout_regularizer):
    """The rate learned on data that are clear, or nothing but noise."""
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 4)).astype("float32")
    y = x[:, :1] + noise * random.normal(size=(64, 1))
    layer = ConcreteDropout(
        keras.layers.Dense(1, kernel_initializer="ones"),
        dropout_regularizer=dropout_regularizer,
        initial_rate=0.3,
        seed=0,
    )
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    x, y = np.tile(x, (60, 1)), np.tile(y, (60, 1))
    model.fit(x, y, batch_size=64, shuffle=False, verbose=0)
    return layer.rate


@pytest.mark.any_backend
def test_learns_its_rate_from_data_and_prior():
    low, high = fitted_rate(0, 1e-5), fitted_rate(0, 1.0)
    assert low < 0.1
    assert high > 0.3


@pytest.mark.any_backend
def test_saves_the_rate(tmp_path):
    layer = identity(0.2, units=3)
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.rate_logit.assign(0.0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    assert again.rate == pytest.approx(0.5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_rate": 0}, "initial_rate"),
        ({"temperature": 0}, "temperature"),
        ({"weight_regularizer": -1}, "weight_regularizer"),
        ({"dropout_regularizer": None}, "dropout_regularizer"),
        ({"axis": 0}, "axis"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(
        ValueError, match=f"`{name}` of ConcreteDropout must be"
    ):
        ConcreteDropout(keras.layers.Dense(3), **arguments)
