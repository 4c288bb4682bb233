import keras
import numpy as np
import pytest

from keras_regopt.constraints import cost, sparsity

pytestmark = pytest.mark.any_backend

layers = keras.layers


def model_with_zeros():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2D(3, 2, name="conv"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(5, name="dense"),
        ]
    )
    kernel = np.ones((2, 2, 2, 3))
    kernel[..., 1] = 0
    kernel[0, 0, 0, 0] = 0
    kernel[0, 0, 1, 0] = 1e-3
    model.get_layer("conv").kernel.assign(kernel)
    return model


def test_counts_the_zeros_of_kernels_and_their_units():
    conv, dense = sparsity(model_with_zeros())
    assert conv[1:] == (9, 24, 1, 3, 0, 2)
    assert dense[1:] == (0, 27 * 5, 0, 5, 0, 27)
    assert sparsity(model_with_zeros()).total[1:] == (9, 159, 1, 8, 0, 29)


def test_counts_the_features_that_a_layer_does_not_look_at():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    kernel = np.ones((4, 3))
    kernel[[0, 2]] = 0
    model.layers[0].kernel.assign(kernel)
    (found,) = sparsity(model)
    assert (found.zero_inputs, found.inputs) == (2, 4)
    assert (found.zero_units, found.units) == (0, 3)
    assert str(sparsity(model)).splitlines()[1].split()[-3:] == ["2", "of", "4"]


def test_counts_what_is_as_small_as_the_tolerance():
    assert sparsity(model_with_zeros(), tolerance=0.01)[0].zeros == 10


def test_shows_a_table():
    table = str(sparsity(model_with_zeros())).splitlines()
    assert len(table) == 4
    assert table[1].split()[1:4] == ["9", "of", "24"]
    assert table[-1].startswith("total")


def test_has_nothing_to_count_in_a_model_without_kernels():
    model = keras.Sequential([keras.Input((3,)), layers.ReLU()])
    assert sparsity(model).total.weights == 0
    assert "total" in str(sparsity(model))


def test_refuses_what_is_no_model():
    with pytest.raises(ValueError, match="`model` of sparsity must be"):
        sparsity(layers.Dense(2))


def test_cost_counts_each_multiplication_and_addition():
    found = cost(model_with_zeros())
    # 27 outputs of 8 products and a bias each; 5 outputs of 27 products.
    assert found.flops == 27 * (8 + 8) + 5 * (27 + 27)
    assert found.parameters == 24 + 3 + 4 * 3 + 135 + 5
    assert found.size == 4 * found.parameters


def test_cost_knows_depthwise_kernels_and_half_precision():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.DepthwiseConv2D(
                3, depth_multiplier=2, use_bias=False, dtype="bfloat16"
            ),
        ]
    )
    found = cost(model)
    assert found.flops == 2 * 2 * 4 * (9 + 8)
    assert found.size == 2 * 36


def test_cost_needs_the_shapes():
    model = keras.Sequential(
        [keras.Input((None, None, 2)), layers.Conv2D(3, 2)]
    )
    with pytest.raises(ValueError, match="input shapes are known"):
        cost(model)
