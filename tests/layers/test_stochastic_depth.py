import keras
import numpy as np
import pytest

from keras_regopt.layers import StochasticDepth, linear_depth_rates


def drawn(layer, x):
    return keras.ops.convert_to_numpy(layer(x, training=True))


def test_keeps_or_drops_whole_examples():
    x = np.random.default_rng(0).normal(size=(64, 3, 5)).astype("float32")
    y = drawn(StochasticDepth(0.25, seed=0), x)
    dropped = np.all(y == 0, axis=(1, 2))
    assert 0 < dropped.sum() < 64
    np.testing.assert_allclose(y[~dropped], x[~dropped] / 0.75, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_at_its_rate(rate):
    draws = 20_000
    y = drawn(StochasticDepth(rate, seed=1), np.ones((draws, 1), "float32"))
    # Five standard deviations of a binomial: wrong once in two million runs.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / draws)
    assert np.mean(y == 0) == pytest.approx(rate, abs=tolerance)
    assert y.mean() == pytest.approx(1, abs=tolerance / (1 - rate))


def test_is_the_identity_at_rate_zero_and_in_inference():
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_array_equal(drawn(StochasticDepth(0.0), x), x)
    y = keras.ops.convert_to_numpy(StochasticDepth(0.5)(x))
    np.testing.assert_array_equal(y, x)


@pytest.mark.any_backend
def test_passes_a_mask_on():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(tokens)
    y = StochasticDepth(0.1)(embedded)
    mask = keras.ops.convert_to_numpy(keras.src.backend.get_keras_mask(y))
    np.testing.assert_array_equal(mask, tokens != 0)


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [-0.1, 1.0, "half", None])
def test_refuses_a_bad_rate(rate):
    with pytest.raises(ValueError, match="`rate` of StochasticDepth must be"):
        StochasticDepth(rate)


@pytest.mark.any_backend
def test_draws_on_after_a_reload(tmp_path):
    layer = StochasticDepth(0.5, seed=2**31 - 1)
    model = keras.Sequential([keras.Input((3,)), layer])
    x = np.ones((50, 3), "float32")
    drawn(layer, x)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    np.testing.assert_array_equal(drawn(layer, x), drawn(reloaded, x))


def test_keeps_or_drops_the_whole_batch_in_its_mode():
    layer = StochasticDepth(0.5, mode="batch", seed=0)
    x = np.ones((6, 3), "float32")
    means = [drawn(layer, x).mean(axis=1) for _ in range(400)]
    assert all(len(set(rows)) == 1 for rows in means)
    assert {rows[0] for rows in means} == {0.0, 2.0}
    # Five standard deviations of a binomial.
    share = np.mean([rows[0] == 0 for rows in means])
    assert share == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 400))


@pytest.mark.any_backend
def test_rates_grow_in_proportion_to_depth():
    assert linear_depth_rates(0.2, 1) == [0.2]
    rates = linear_depth_rates(0.5, 10)
    np.testing.assert_allclose(rates, np.linspace(0, 0.5, 11)[1:])
    with pytest.raises(ValueError, match="`depth` of linear_depth_rates must"):
        linear_depth_rates(0.5, 0)
