"""What `quantize` makes of layers whose penalty has a state."""

import keras
import numpy as np
import pytest
from keras_versions import since_keras

from keras_regopt.regularizers import L2SP, SRIP, Scheduled, SpectralNorm
from keras_regopt.testing._quantization import quickly_quantized

X = np.random.default_rng(0).normal(size=(32, 8)).astype("float32")

# Keras names each layer that has nothing to quantize.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not have a `qu")


def scheduled():
    schedule = keras.optimizers.schedules.CosineDecay(1.0, 10)
    return Scheduled(SpectralNorm(0.1), schedule)


def model_with(penalty, **more):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(6, kernel_regularizer=penalty, name="a", **more),
            keras.layers.Dense(6, name="b"),
        ]
    )


def loss_of(penalty, mode, **options):
    """The part of the outputs that quantization costs, and the model."""
    model = model_with(penalty)
    before = keras.ops.convert_to_numpy(model(X))
    quickly_quantized(model, mode, **options)
    after = keras.ops.convert_to_numpy(model(X))
    return np.abs(after - before).max() / np.abs(before).max(), model


@pytest.mark.any_case
@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_costs_what_it_costs_without_a_penalty(mode):
    plain, _ = loss_of(None, mode)
    assert 0.001 < plain < 0.15
    for make in (SpectralNorm, SRIP, L2SP, scheduled):
        cost, model = loss_of(make(), mode)
        assert cost == pytest.approx(plain, abs=1e-5)
        assert [layer.quantization_mode for layer in model.layers] == [mode] * 2


@since_keras("3.13", "filters")
def test_filters_choose_among_layers_and_not_among_penalties():
    _, model = loss_of(SpectralNorm(), "int8", filters="^a$")
    modes = [layer.quantization_mode for layer in model.layers]
    assert modes == ["int8", None]
    _, model = loss_of(SpectralNorm(), "int8", filters="^b$")
    modes = [layer.quantization_mode for layer in model.layers]
    assert modes == [None, "int8"]


def test_a_trained_model_keeps_its_penalty_and_trains_on(tmp_path):
    model = model_with(SpectralNorm(0.1), activity_regularizer=scheduled())
    model.compile("sgd", "mse")
    model.fit(X, X[:, :6], verbose=0)
    penalty = model.layers[0].kernel_regularizer
    vector = keras.ops.convert_to_numpy(penalty.state)
    quickly_quantized(model, "float8")
    assert model.layers[0].kernel_regularizer is penalty
    assert np.array_equal(keras.ops.convert_to_numpy(penalty.state), vector)
    paths = [weight.path for weight in model.non_trainable_weights]
    assert sum("right_singular_vector" in path for path in paths) == 1
    model.compile("sgd", "mse")
    history = model.fit(X, X[:, :6], epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    own = keras.ops.convert_to_numpy(model(X))
    assert np.allclose(keras.ops.convert_to_numpy(again(X)), own, atol=1e-5)


def test_what_fails_leaves_the_penalty_in_its_place():
    model = model_with(SpectralNorm())
    with pytest.raises(ValueError, match="mode"):
        model.quantize("int3")
    assert model.layers[0]._layers == [model.layers[0].kernel_regularizer]
