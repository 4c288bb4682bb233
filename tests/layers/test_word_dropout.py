import keras
import numpy as np
import pytest

from keras_regopt.layers import WordDropout


def drawn(layer, x):
    return keras.ops.convert_to_numpy(layer(x, training=True))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_replaces_ids_at_its_rate(rate):
    ids = np.random.default_rng(0).integers(5, 50, (200, 100))
    new = drawn(WordDropout(rate, token=3, seed=0), ids)
    changed = new != ids
    assert set(new[changed]) == {3}
    # Five standard deviations of a binomial: wrong once in two million runs.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / ids.size)
    assert changed.mean() == pytest.approx(rate, abs=tolerance)


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_ids_stay_ids_under_every_policy(dtype):
    layer = WordDropout(0.5, dtype="mixed_bfloat16", seed=0)
    ids = keras.ops.full((4, 50), 251, dtype)
    new = layer(ids, training=True)
    assert keras.backend.standardize_dtype(new.dtype) == str(
        keras.backend.standardize_dtype(ids.dtype)
    )
    assert set(keras.ops.convert_to_numpy(new).ravel()) == {1, 251}
    assert layer(keras.Input((5,), dtype=dtype)).dtype == dtype


def test_never_drops_what_it_shall_keep():
    ids = np.tile(np.arange(10), (50, 1))
    new = drawn(WordDropout(0.9, keep=[0, 2, 9], seed=0), ids)
    kept = (new == ids).all(axis=0)
    # The token 1 stands in for itself.
    assert list(np.flatnonzero(kept)) == [0, 1, 2, 9]


def test_drops_whole_vectors_and_keeps_their_mean():
    rate, words = 0.3, 20_000
    x = np.random.default_rng(0).normal(size=(200, 100, 4)).astype("float32")
    y = drawn(WordDropout(rate, seed=0), x)
    dropped = (y == 0).all(axis=-1)
    tolerance = 5 * np.sqrt(rate * (1 - rate) / words)
    assert dropped.mean() == pytest.approx(rate, abs=tolerance)
    np.testing.assert_allclose(y[~dropped], x[~dropped] / 0.7, rtol=1e-6)


@pytest.mark.any_backend
def test_trains_within_a_model_of_ids():
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            WordDropout(0.5),
            keras.layers.Embedding(10, 3, mask_zero=True),
            WordDropout(0.5),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    ids = np.array([[5, 6, 7, 0, 0, 0], [8, 9, 0, 0, 0, 0]])
    history = model.fit(ids, np.ones((2, 1)), verbose=0)
    assert np.isfinite(history.history["loss"][0])
    called = keras.ops.convert_to_numpy(model(ids))
    np.testing.assert_allclose(model.predict(ids, verbose=0), called, rtol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rate": 1.0}, "rate"),
        ({"token": 0.5}, "token"),
        ({"keep": 0}, "keep"),
        ({"keep": [-1]}, "keep"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of WordDropout must be"):
        WordDropout(**arguments)
