import keras
import numpy as np
import pytest

from keras_regopt.layers import EmbeddingMixUp
from keras_regopt.layers._mixup_model import Mixture

to_numpy = keras.ops.convert_to_numpy


def inner_model(mask_zero=True):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(12, 5, mask_zero=mask_zero, name="words"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3, name="logits"),
        ]
    )


def data():
    ids = np.array([[5, 6, 7, 0], [8, 9, 0, 0], [3, 4, 5, 6]])
    return ids, np.array([0, 1, 2])


def fixed(model, lam, order):
    """Lets a model draw these in every step."""

    def draw(inputs):
        mixture = model._mixture
        mixture.lam = keras.ops.convert_to_tensor(np.float32(lam))
        mixture.order = keras.ops.convert_to_tensor(np.array(order, "int32"))

    model._draw = draw
    return model


def expected_loss(model, ids, labels, lam, order):
    """The loss of one step in NumPy."""
    table = to_numpy(model.model.get_layer("words").embeddings)
    e, mask = table[ids], ids != 0
    both = (mask & mask[order])[..., None]
    e = np.where(both, lam * e + (1 - lam) * e[order], e)
    mean = (e * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    dense = model.model.get_layer("logits")
    h = mean @ to_numpy(dense.kernel) + to_numpy(dense.bias)
    log_p = h - np.log(np.exp(h).sum(axis=1, keepdims=True))
    rows = np.arange(3)
    own, other = log_p[rows, labels].mean(), log_p[rows, labels[order]].mean()
    return -lam * own - (1 - lam) * other


def test_mixes_embeddings_where_both_texts_have_tokens():
    lam, order = 0.7, [2, 0, 1]
    model = fixed(EmbeddingMixUp(inner_model()), lam, order)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss)
    ids, labels = data()
    expected = expected_loss(model, ids, labels, lam, order)
    assert float(model.train_on_batch(ids, labels)) == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.any_backend
def test_is_the_plain_model_outside_of_its_own_training():
    model = EmbeddingMixUp(inner_model(mask_zero=False))
    ids, _ = data()
    expected = to_numpy(model.model(ids))
    for training in (False, True):
        got = to_numpy(model(ids, training=training))
        np.testing.assert_array_equal(got, expected)


@pytest.mark.any_backend
def test_takes_the_layers_by_name():
    model = EmbeddingMixUp(inner_model(), ["words"])
    assert [x.name for x in model._embeddings()] == ["words"]
    again = EmbeddingMixUp.from_config(model.get_config())
    assert again.layer_names == ["words"]
    with pytest.raises(ValueError, match="`layer_names` of EmbeddingMixUp"):
        EmbeddingMixUp(inner_model(), ["none"])
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no layer is an Embedding"):
        EmbeddingMixUp(plain)


@pytest.mark.any_backend
def test_integers_are_no_embeddings():
    mixture = Mixture()
    with pytest.raises(ValueError, match="Only floating point"):
        mixture.mix(keras.ops.ones((2, 2), "int32"), 0.5)
