import numpy as np
import pytest
import sklearn.preprocessing

from keras_regopt.layers import RobustScaling
from keras_regopt.testing._backend import to_numpy


def wild(shape=(101, 4)):
    """Prices with a few absurd ones, one that never changes, and gaps."""
    random = np.random.default_rng(0)
    x = random.normal(size=shape) * 10 + 300
    x[:3, 0] = 1e6
    x[..., 2] = 7.1
    return x


@pytest.mark.parametrize("quantile_range", [(25.0, 75.0), (10, 95)])
def test_equals_scikit_learns(quantile_range):
    x = wild()
    x[5, 3] = np.nan
    layer = RobustScaling(quantile_range)
    layer.adapt(x)
    scaler = sklearn.preprocessing.RobustScaler(quantile_range=quantile_range)
    expected = scaler.fit_transform(x)
    outputs = to_numpy(layer(x.astype("float32")))
    np.testing.assert_allclose(outputs, expected, rtol=2e-4, atol=2e-4)


def test_takes_all_values_of_a_feature_together():
    x = wild((7, 5, 4))
    layer = RobustScaling()
    layer.adapt(x)
    flat = RobustScaling()
    flat.adapt(x.reshape(-1, 4))
    first = RobustScaling(axis=1)
    first.adapt(np.moveaxis(x, -1, 1))
    for other in (flat, first):
        for a, b in zip(layer.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    np.testing.assert_allclose(
        to_numpy(first(np.moveaxis(x, -1, 1).astype("float32"))),
        np.moveaxis(to_numpy(layer(x.astype("float32"))), -1, 1),
        rtol=1e-5,
        atol=1e-5,
    )


def test_learns_the_same_from_batches():
    import tensorflow as tf

    x = wild()
    whole = RobustScaling()
    whole.adapt(x)
    for data in (
        tf.data.Dataset.from_tensor_slices(x).batch(32),
        (x[i : i + 10] for i in range(0, 101, 10)),
    ):
        layer = RobustScaling()
        layer.adapt(data)
        for a, b in zip(layer.weights, whole.weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_keeps_large_inputs_whole_where_the_model_is_in_half_precision():
    import keras
    import tensorflow as tf

    x = np.array([[70001.0], [70002.0], [70003.0]])
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = RobustScaling()
    finally:
        keras.config.set_dtype_policy("float32")
    layer.adapt(x)
    dataset = tf.data.Dataset.from_tensors(x).map(layer)
    for outputs in (to_numpy(layer(x)), np.asarray(next(iter(dataset)))):
        np.testing.assert_allclose(outputs, [[-1], [0], [1]], atol=1e-2)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"quantile_range": (75, 25)}, "quantile_range"),
        ({"quantile_range": 50}, "quantile_range"),
        ({"axis": 0}, "axis"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of RobustScaling must be"):
        RobustScaling(**arguments)
