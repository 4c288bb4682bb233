import keras
import numpy as np
import pytest

from keras_regopt._precision import at_least_float32, at_least_single


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["float16"], "float32"),
        (["bfloat16", "float32"], "float32"),
        (["float32", "float64"], "float64"),
        (["int32"], "float32"),
        ([], "float32"),
    ],
)
def test_single_precision_unless_there_is_double(dtypes, expected):
    assert at_least_float32(*dtypes) == expected


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("make", [keras.Variable, keras.ops.convert_to_tensor])
def test_computes_in_single_precision(make, dtype):
    x = make(np.full(2, 300.0), dtype=dtype)
    square = keras.ops.square(at_least_single(x))
    assert keras.backend.standardize_dtype(square.dtype) == "float32"
    np.testing.assert_allclose(keras.ops.convert_to_numpy(square), 9e4)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has float64 on request alone"
)
def test_keeps_double_precision():
    x = keras.ops.convert_to_tensor(np.array([1 + 1e-12]), dtype="float64")
    x = keras.ops.convert_to_numpy(at_least_single(x))
    assert x.dtype == "float64"
    assert x[0] == 1 + 1e-12
