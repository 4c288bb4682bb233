import keras
import numpy as np
import pytest

from keras_regopt.layers import EmbeddingCutoff, EmbeddingNoise

to_numpy = keras.ops.convert_to_numpy


def masked_texts(batch=400, tokens=10, dimensions=8):
    """Ones, and a mask of 0 to `tokens` tokens of each text."""
    counts = np.arange(batch) % (tokens + 1)
    mask = np.arange(tokens)[None] < counts[:, None]
    return np.ones((batch, tokens, dimensions), "float32"), mask, counts


def test_noise_is_as_large_as_in_the_paper():
    x, mask, counts = masked_texts()
    layer = EmbeddingNoise(10.0, seed=0)
    noise = to_numpy(layer(x, mask=mask, training=True)) - x
    assert (noise[~mask] == 0).all()
    some = counts > 0
    bounds = 10 / np.sqrt(counts[some] * 8)
    scaled = np.abs(noise[some]).max(axis=-1) / bounds[:, None]
    # Beyond 1 by no more than the rounding of the sum with 1.
    assert scaled.max() <= 1 + 1e-5
    # A uniform number, whose square is 1/3 on average, its variance 4/45.
    squares = (noise[some] ** 2).mean(axis=-1) / bounds[:, None] ** 2
    squares = squares[mask[some]]
    sigma = np.sqrt(4 / 45 / (squares.size * 8))
    assert squares.mean() == pytest.approx(1 / 3, abs=4 * sigma)


def test_without_a_mask_all_tokens_count():
    x = np.zeros((2000, 4, 4), "float32")
    noise = to_numpy(EmbeddingNoise(4.0, seed=0)(x, training=True))
    assert 0.99 < np.abs(noise).max() <= 1
    # The mean of 32,000 uniform numbers.
    assert abs(noise.mean()) < 4 / np.sqrt(3 * noise.size)


def test_cuts_off_single_tokens_but_never_all():
    x, mask, counts = masked_texts(4400)
    layer = EmbeddingCutoff(0.3, seed=0)
    cut = to_numpy(layer(x, mask=mask, training=True)) == 0
    assert (cut == cut[..., :1]).all()
    cut = cut[..., 0]
    assert not cut[~mask].any()
    assert ((mask & ~cut).sum(axis=1) > 0)[counts > 0].all()
    long = counts >= 5
    sigma = np.sqrt(0.3 * 0.7 / counts[long].sum())
    # In 5 tokens, all of them drawn, one in 400 texts keeps one.
    share = cut[long].sum() / counts[long].sum()
    assert share == pytest.approx(0.3, abs=4 * sigma + 0.3**5)


def test_cuts_off_a_span_of_the_text():
    x, mask, counts = masked_texts(2200)
    layer = EmbeddingCutoff(0.25, mode="span", seed=0)
    cut = to_numpy(layer(x, mask=mask, training=True))[..., 0] == 0
    assert not cut[~mask].any()
    # One span: it begins once at most.
    begins = np.diff(cut.astype(int), axis=1, prepend=0) == 1
    assert begins.sum(axis=1).max() == 1
    sizes = cut.sum(axis=1)
    expected = 0.25 * counts[counts > 1]
    assert (np.abs(sizes[counts > 1] - expected) < 1).all()
    # Each is rounded up or down by chance.
    sigma = np.sqrt(0.25 / (counts > 1).sum())
    assert (sizes[counts > 1] - expected).mean() == pytest.approx(
        0, abs=4 * sigma
    )
    assert not cut[counts <= 1].any()


def test_cuts_off_features_of_all_tokens():
    x, mask, counts = masked_texts(1100)
    layer = EmbeddingCutoff(0.2, mode="features", seed=0)
    cut = to_numpy(layer(x, mask=mask, training=True)) == 0
    assert not cut[~mask].any()
    first = cut[:, 0][counts > 0]
    assert (cut[counts == 10] == cut[counts == 10][:, :1]).all()
    sigma = np.sqrt(0.2 * 0.8 / first.size)
    assert first.mean() == pytest.approx(0.2, abs=4 * sigma)
    assert not first.all(axis=1).any()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "layer", [EmbeddingNoise(seed=0), EmbeddingCutoff(0.5, seed=0)]
)
def test_the_mask_of_an_embedding_goes_through(layer):
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            keras.layers.Embedding(10, 4, mask_zero=True),
            layer,
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    # Without the mask, zeros would not be the mean of one token.
    ids = np.array([[3, 0, 0, 0, 0], [3, 0, 0, 0, 0]])
    plain = to_numpy(model(ids))
    table = to_numpy(model.layers[0].embeddings)
    np.testing.assert_allclose(plain, table[[3, 3]], rtol=1e-6)
    changed = to_numpy(model(ids, training=True))
    if isinstance(layer, EmbeddingCutoff):
        np.testing.assert_array_equal(changed, plain)
    else:
        # The bound for one token of four dimensions.
        assert 0 < np.abs(changed - plain).max() <= 2.5 + 1e-5


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: EmbeddingNoise(-1.0), "alpha"),
        (lambda: EmbeddingCutoff(1.0), "fraction"),
        (lambda: EmbeddingCutoff(mode="words"), "mode"),
    ],
)
def test_refuses_bad_arguments_by_name(make, name):
    with pytest.raises(ValueError, match=f"`{name}` of Embedding"):
        make()


@pytest.mark.any_backend
def test_refuses_ids():
    layer = EmbeddingNoise()
    with pytest.raises(TypeError, match="must be floats"):
        layer(np.ones((2, 3, 4), "int32"), training=True)
