import keras
import numpy as np
import pytest
import sklearn.datasets
import sklearn.decomposition

from keras_regopt.layers import Whitening
from keras_regopt.testing._backend import to_numpy


def correlated(examples=200):
    random = np.random.default_rng(0)
    mixing = random.normal(size=(6, 6))
    return (random.normal(size=(examples, 6)) @ mixing + 5).astype("float32")


@pytest.mark.parametrize("components", [None, 3])
def test_pca_equals_scikit_learns(components):
    x = correlated()
    layer = Whitening("pca", epsilon=0, components=components)
    layer.adapt(x)
    pca = sklearn.decomposition.PCA(components, whiten=True).fit(
        x.astype("float64")
    )
    expected = pca.transform(x)
    # scikit-learn turns the loadings' signs, and so does this.
    np.testing.assert_allclose(to_numpy(layer(x)), expected, atol=2e-4)


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_makes_the_covariance_the_identity(method):
    x = correlated()
    layer = Whitening(method, epsilon=0)
    layer.adapt(x)
    y = to_numpy(layer(x))
    np.testing.assert_allclose(np.cov(y.T), np.eye(6), atol=1e-3)
    np.testing.assert_allclose(y.mean(0), np.zeros(6), atol=1e-4)


def test_zca_is_the_symmetric_root_of_the_precision():
    x = correlated()
    layer = Whitening("zca", epsilon=0.1)
    layer.adapt(x)
    covariance = np.cov(x.astype("float64").T)
    covariance += 0.1 * np.diag(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    np.testing.assert_allclose(layer.matrix.numpy(), root, atol=1e-5)


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_features_of_any_scale_get_a_variance_of_one(method):
    random = np.random.default_rng(0)
    scales = np.array([3e-4, 1e-2, 1.0, 1e3])
    x = (random.normal(size=(400, 4)) * scales).astype("float32")
    layer = Whitening(method)
    layer.adapt(x)
    variances = to_numpy(layer(x)).var(axis=0)
    np.testing.assert_allclose(variances, np.ones(4), atol=0.01)


def test_a_feature_that_repeats_another_one_is_not_blown_up():
    x = correlated()
    twice = np.concatenate([x, x[:, :1] + 1e-6], axis=1)
    layer = Whitening()
    layer.adapt(twice)
    assert np.abs(to_numpy(layer(twice))).max() < 10


def test_learns_the_same_from_batches_of_any_kind():
    import tensorflow as tf

    x = correlated(70)
    targets = np.zeros(70)

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 7

        def __getitem__(self, i):
            return x[10 * i : 10 * i + 10], targets[10 * i : 10 * i + 10]

    whole = Whitening()
    whole.adapt(x)
    for data in (
        keras.ops.convert_to_tensor(x),
        tf.data.Dataset.from_tensor_slices((x, targets)).batch(32),
        (x[i : i + 1] for i in range(70)),
        [x[:1], x[1:]],
        Batches(),
    ):
        layer = Whitening()
        layer.adapt(data)
        for own, other in zip(layer.weights, whole.weights, strict=True):
            np.testing.assert_allclose(own.numpy(), other.numpy(), atol=1e-5)


def test_keeps_images_images_and_takes_directions_without_variance():
    images = sklearn.datasets.load_digits().images[:300, ..., None]
    layer = Whitening("zca", epsilon=0.1)
    layer.adapt(images)
    y = to_numpy(layer(images))
    # The corners of digits are always empty.
    assert y.shape == images.shape
    assert np.all(np.isfinite(y))
    # An image is more like its own white one than like the others'.
    flat = (images - images.mean(0)).reshape(300, -1)
    likeness = flat @ y.reshape(300, -1).T
    assert np.mean(likeness.argmax(1) == np.arange(300)) > 0.95


def test_changes_nothing_before_it_is_adapted_and_forgets_when_adapted_anew():
    x = correlated()
    layer = Whitening()
    np.testing.assert_allclose(to_numpy(layer(x)), x, rtol=1e-6)
    layer.adapt(1000 * x)
    layer.adapt(x)
    again = Whitening()
    again.adapt(x)
    np.testing.assert_array_equal(layer.matrix.numpy(), again.matrix.numpy())


def test_runs_in_tf_data():
    import tensorflow as tf

    x = correlated(64)
    layer = Whitening("pca", components=2)
    layer.adapt(x)
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(16).map(layer)
    mapped = np.concatenate([np.asarray(batch) for batch in dataset])
    np.testing.assert_allclose(mapped, to_numpy(layer(x)), atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"method": "svd"}, "method"),
        ({"epsilon": -1}, "epsilon"),
        ({"components": 2}, "components"),
        ({"method": "pca", "components": 0}, "components"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of Whitening must be"):
        Whitening(**arguments)


@pytest.mark.any_backend
def test_refuses_more_components_than_features():
    layer = Whitening("pca", components=7)
    with pytest.raises(ValueError, match="`components` of Whitening must be"):
        layer.adapt(correlated())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "at least one batch"),
        (np.ones(4), "at least one batch"),
        (np.ones((1, 6)), "at least two examples"),
        ([np.ones((2, 6)), np.ones((2, 5))], "examples of"),
        (np.full((3, 6), np.nan), "finite"),
    ],
    ids=["empty", "vector", "one", "mixed", "nan"],
)
def test_bad_data_is_refused_and_leaves_the_layer_as_it_was(data, says):
    layer = Whitening()
    layer.adapt(correlated())
    before = layer.get_weights()
    with pytest.raises(ValueError, match=f"`data` of Whitening.adapt.*{says}"):
        layer.adapt(data)
    for old, now in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
