import keras
import numpy as np
import pytest

from keras_regopt.layers._replaced_weights import (
    find_weights,
    replaced,
    value_of,
)
from keras_regopt.testing._backend import gradient


def as_array(x):
    return keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))


LAYERS = {
    "Dense": lambda: (keras.layers.Dense(3), (2, 4), "kernel"),
    "Conv2D": lambda: (keras.layers.Conv2D(3, 2), (2, 4, 4, 2), "kernel"),
    "DepthwiseConv2D": lambda: (
        keras.layers.DepthwiseConv2D(2),
        (2, 4, 4, 2),
        "kernel",
    ),
    "SeparableConv1D": lambda: (
        keras.layers.SeparableConv1D(3, 2),
        (2, 4, 2),
        "pointwise_kernel",
    ),
    "Embedding": lambda: (keras.layers.Embedding(5, 3), (2, 4), "embeddings"),
    "LSTM": lambda: (keras.layers.LSTM(3), (2, 4, 2), "recurrent_kernel"),
    "TimeDistributed": lambda: (
        keras.layers.TimeDistributed(keras.layers.Dense(3)),
        (2, 4, 3),
        "kernel",
    ),
    "Sequential": lambda: (
        keras.Sequential([keras.layers.Dense(3)]),
        (2, 4),
        "kernel",
    ),
}


@pytest.mark.any_case
@pytest.mark.parametrize("name", LAYERS)
def test_the_layer_computes_with_the_other_value_for_one_call(name):
    layer, shape, target = LAYERS[name]()
    x = np.ones(shape, "float32")
    before = as_array(layer(x))
    refs = find_weights("a test", layer, target)
    assert len(refs) == 1
    doubled = 2 * value_of(refs[0])
    with replaced(refs, [doubled]):
        inside = as_array(layer(x))
    np.testing.assert_array_equal(as_array(layer(x)), before)
    refs[0].variable.assign(doubled)
    np.testing.assert_array_equal(as_array(layer(x)), inside)
    assert not np.array_equal(inside, before)


def test_the_gradient_reaches_the_weight():
    layer = keras.layers.Dense(1, use_bias=False)
    layer.build((None, 3))
    refs = find_weights("a test", layer, "kernel")

    def loss(x):
        with replaced(refs, [value_of(refs[0]) * x]):
            return keras.ops.sum(layer(np.ones((1, 3), "float32")))

    slope = gradient(loss, np.ones((3, 1), "float32"))
    np.testing.assert_allclose(slope, as_array(layer.kernel), rtol=1e-6)


def test_replacements_nest_and_end_even_by_an_error():
    layer = keras.layers.Dense(1, use_bias=False)
    layer.build((None, 1))
    layer.kernel.assign([[1.0]])
    refs = find_weights("a test", layer, "kernel")

    def output():
        return float(as_array(layer(np.ones((1, 1), "float32")))[0, 0])

    def fails_within():
        with replaced(refs, [value_of(refs[0]) * 5]):
            assert output() == 15
            raise RuntimeError("on purpose")

    with replaced(refs, [value_of(refs[0]) * 3]):
        with pytest.raises(RuntimeError, match="on purpose"):
            fails_within()
        assert output() == 3
    assert output() == 1


def test_a_value_comes_in_the_precision_that_is_asked_for():
    layer = keras.layers.Dense(1, dtype="mixed_bfloat16")
    layer.build((None, 1))
    layer.kernel.assign([[1.001]])
    (ref,) = find_weights("a test", layer, "kernel")
    dtype = keras.backend.standardize_dtype
    # As a wrapper does within its call.
    with keras.src.backend.AutocastScope("bfloat16"):
        full, low = value_of(ref, full_precision=True), value_of(ref)
    assert dtype(low.dtype) == "bfloat16"
    assert dtype(full.dtype) == "float32"
    assert as_array(full)[0, 0] == np.float32(1.001)
    with replaced([ref], [full]):
        output = layer(np.ones((1, 1), "float32"))
    assert dtype(output.dtype) == "bfloat16"
