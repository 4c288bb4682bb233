import keras
import numpy as np
import pytest

from keras_regopt.layers import L0, DropConnect, MonteCarlo, StochasticDepth


def as_array(x):
    return keras.ops.convert_to_numpy(x)


def test_the_spread_is_that_of_dropout():
    rate, samples = 0.3, 4000
    layer = MonteCarlo(keras.layers.Dropout(rate), samples, seed=0)
    mean, std = map(as_array, layer(np.ones((1, 20), "float32")))
    # Of single passes: zero, or 1 / (1 - rate).
    deviation = np.sqrt(rate / (1 - rate))
    tolerance = 5 * deviation / np.sqrt(samples)
    np.testing.assert_allclose(mean, 1, atol=tolerance)
    np.testing.assert_allclose(std, deviation, rtol=0.1)


def test_mean_and_spread_are_those_of_the_passes_it_makes():
    # With a seed, since on torch Keras' dropout without one has no generator.
    inner = keras.layers.Dropout(0.5, seed=1)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    layer = MonteCarlo(inner, samples=7, seed=3)
    mean, std = map(as_array, layer(x))
    inner.seed_generator.state.assign([3, 0])
    passes = as_array(inner(np.repeat(x, 7, axis=0), training=True))
    passes = passes.reshape(3, 7, 4)
    np.testing.assert_allclose(mean, passes.mean(axis=1), rtol=1e-5)
    expected = passes.std(axis=1, ddof=1)
    np.testing.assert_allclose(std, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.any_case
@pytest.mark.parametrize(
    "layer",
    [
        lambda: DropConnect(keras.layers.Dense(8)),
        lambda: L0(keras.layers.Dense(8)),
        lambda: StochasticDepth(0.5, mode="batch"),
    ],
    ids=["DropConnect", "L0", "StochasticDepth"],
)
def test_layers_that_draw_once_for_a_batch_have_a_spread_too(layer):
    x = np.ones((2, 8), "float32")
    model = keras.Sequential([layer(), keras.layers.Activation("linear")])
    _, std = MonteCarlo(model, samples=8, seed=0)(x)
    assert as_array(std).mean() > 0.1


def model_with_statistics():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
        ]
    )


@pytest.mark.any_backend
def test_leaves_statistics_and_seeds_of_the_model_as_they_are():
    model = model_with_statistics()
    model.layers[1].moving_mean.assign(np.arange(6))
    before = [as_array(v) for v in model.variables]
    layer = MonteCarlo(model)
    x = 100 * np.ones((3, 4), "float32")
    first, second = layer(x)[0], layer(x)[0]
    np.testing.assert_array_equal(as_array(first), as_array(second))
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(as_array(variable), value)
    # Normalized by the batch, equal examples would all give zero there.
    assert abs(as_array(first)).max() > 1
    layer(x, training=True)
    after = [as_array(v) for v in model.variables]
    assert any(
        not np.array_equal(a, b) for a, b in zip(after, before, strict=True)
    )


def test_predicts_the_pair_in_a_model_after_a_reload(tmp_path):
    layer = MonteCarlo(model_with_statistics(), samples=5)
    model = keras.Sequential([keras.Input((4,)), layer])
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    mean, std = model.predict(x, verbose=0)
    assert mean.shape == std.shape == (3, 2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(again.predict(x, verbose=0), (mean, std), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_is_one_pass_in_training():
    inner = keras.layers.Dropout(0.5, seed=0)
    mean, std = MonteCarlo(inner)(np.ones((50, 4)), training=True)
    assert set(np.unique(as_array(mean))) == {0.0, 2.0}
    assert not as_array(std).any()


@pytest.mark.any_backend
def test_repeats_masks_with_the_inputs():
    lstm = keras.layers.LSTM(3, dropout=0.5)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool)
    layer = MonteCarlo(lstm, samples=3, return_std=False)
    masked = as_array(layer(x, mask=mask))
    x[0, 2:], x[1, 3:] = 9, 9
    np.testing.assert_allclose(as_array(layer(x, mask=mask)), masked, rtol=1e-5)


@pytest.mark.any_backend
def test_half_precision_does_not_overflow():
    layer = MonteCarlo(keras.layers.Dropout(0.5, dtype="float16"), seed=0)
    mean, std = layer(np.full((2, 50), 1000, "float16"))
    assert keras.backend.standardize_dtype(std.dtype) == "float16"
    assert 800 < as_array(mean).mean() < 1200
    assert 800 < as_array(std).mean() < 1200


@pytest.mark.any_backend
def test_steps_need_not_be_known():
    layer = MonteCarlo(keras.layers.Dropout(0.5), samples=2)
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, layer(inputs))
    mean, _ = model.predict(np.ones((2, 5, 3)), verbose=0)
    assert mean.shape == (2, 5, 3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"layer": None}, "layer"),
        ({"samples": 1}, "samples"),
        ({"return_std": "std"}, "return_std"),
        ({"seed": -1}, "seed"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of MonteCarlo must be"):
        MonteCarlo(**{"layer": keras.layers.Dropout(0.5), **arguments})
