import keras
import numpy as np
import pytest
import torch

from keras_regopt.layers import WeightStandardization
from keras_regopt.testing._backend import to_numpy

layers = keras.layers


def standardized(kernel, axes):
    kernel = kernel.astype("float64")
    mean = kernel.mean(axes, keepdims=True)
    return (kernel - mean) / np.sqrt(kernel.var(axes, keepdims=True) + 1e-6)


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (layers.Dense(5), (4, 6), 0),
        (layers.Conv2D(5, 3), (2, 6, 6, 3), (0, 1, 2)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (2, 6, 6, 3), (0, 1)),
        (layers.Conv1DTranspose(5, 3), (2, 6, 3), (0, 2)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_is_the_layer_with_standardized_weights(layer, shape, axes):
    random = np.random.default_rng(0)
    x = random.normal(size=shape).astype("float32")
    wrapper = WeightStandardization(layer)
    outputs = to_numpy(wrapper(x))
    plain = type(layer).from_config(layer.get_config())
    plain.build(x.shape)
    kernel, bias = layer.get_weights()
    plain.set_weights([standardized(kernel, axes), bias])
    np.testing.assert_allclose(outputs, to_numpy(plain(x)), atol=2e-5)
    # In training it is the same, and the weights stay as they are.
    trained = to_numpy(wrapper(x, training=True))
    np.testing.assert_allclose(trained, outputs, atol=1e-6)
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)


def test_trains_the_weights_as_torch_trains_standardized_ones():
    random = np.random.default_rng(0)
    x = random.normal(size=(16, 6)).astype("float32")
    y = random.normal(size=(16, 3)).astype("float32")
    layer = layers.Dense(3, use_bias=False)
    model = keras.Sequential([keras.Input((6,)), WeightStandardization(layer)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    weight = torch.tensor(
        layer.get_weights()[0], dtype=torch.float64, requires_grad=True
    )
    model.fit(x, y, batch_size=16, epochs=20, shuffle=False, verbose=0)
    for _ in range(20):
        mean, variance = weight.mean(0), weight.var(0, unbiased=False)
        used = (weight - mean) / torch.sqrt(variance + 1e-6)
        error = torch.tensor(x, dtype=torch.float64) @ used - torch.tensor(y)
        (slope,) = torch.autograd.grad(error.square().mean(), weight)
        weight = (weight - 0.1 * slope).detach().requires_grad_()
    np.testing.assert_allclose(
        layer.get_weights()[0], weight.detach(), rtol=1e-5, atol=1e-5
    )


def test_stays_finite_where_all_weights_of_a_unit_are_equal():
    layer = layers.Dense(3, kernel_initializer="ones")
    outputs = to_numpy(WeightStandardization(layer)(np.ones((2, 4), "float32")))
    np.testing.assert_array_equal(outputs, np.zeros((2, 3)))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"epsilon": 0}, "epsilon"), ({"target": []}, "target")],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of WeightStandard"):
        WeightStandardization(layers.Dense(2), **arguments)
