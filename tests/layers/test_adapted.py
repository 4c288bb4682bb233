"""What the layers that learn statistics beforehand take, and say."""

import warnings

import keras
import numpy as np
import pytest

from keras_regopt.layers import RobustScaling, Whitening

pytestmark = pytest.mark.any_backend

X = np.random.default_rng(0).normal(size=(20, 3)) + 5


def weights(layer):
    return np.concatenate([np.ravel(w) for w in layer.get_weights()])


def adapted(data, **options):
    layer = RobustScaling()
    layer.adapt(data, **options)
    return weights(layer)


def test_takes_nested_lists_as_one_array():
    assert np.allclose(adapted(X.tolist()), adapted(X))
    images = X[:, None].repeat(2, axis=1)
    assert np.allclose(adapted(images.tolist()), adapted(images))


def test_takes_dicts_and_batches_of_them():
    others = np.arange(20)
    assert np.allclose(adapted({"a": X}), adapted(X))
    assert np.allclose(adapted({"a": X, "b": others}, key="a"), adapted(X))
    batches = [
        ({"a": X[i : i + 5], "b": others[i : i + 5]}, others[i : i + 5])
        for i in range(0, 20, 5)
    ]
    assert np.allclose(adapted(batches, key="a"), adapted(X))


@pytest.mark.parametrize("key", [None, "c"])
def test_asks_which_entry_of_a_dict_it_is(key):
    with pytest.raises(ValueError, match=r"`key` of .*one of \['a', 'b'\]"):
        adapted({"a": X, "b": X}, key=key)


def model_of(layer):
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("make", [RobustScaling, Whitening])
def test_warns_in_fit_where_adapt_was_forgotten(make):
    model = model_of(make())
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        model.fit(X, X[:, 0], epochs=2, verbose=0)
    (told,) = [str(w.message) for w in log if "`adapt`" in str(w.message)]
    assert told.startswith(f"{make.__name__} '{model.layers[0].name}'")


@pytest.mark.parametrize("make", [RobustScaling, Whitening])
def test_says_nothing_where_it_knows_its_statistics(make, tmp_path):
    layer = make()
    layer.adapt(X)
    model = model_of(layer)
    model.fit(X, X[:, 0], verbose=0)
    model.save(tmp_path / "model.keras")
    keras.saving.load_model(tmp_path / "model.keras").fit(X, X[:, 0], verbose=0)
    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    copied.compile("sgd", "mse")
    copied.fit(X, X[:, 0], verbose=0)


def test_says_nothing_where_it_does_not_train():
    model = model_of(Whitening())
    model.predict(X, verbose=0)
    model.evaluate(X, X[:, 0], verbose=0)
