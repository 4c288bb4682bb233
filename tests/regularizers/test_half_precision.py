import keras
import numpy as np
import pytest
import samples

from keras_regopt._registry import registered
from keras_regopt.testing._samples import compile_arguments, data

pytestmark = pytest.mark.any_backend

REGULARIZERS = [
    cls
    for cls in registered()
    if issubclass(cls, keras.regularizers.Regularizer)
]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("cls", REGULARIZERS, ids=lambda cls: cls.__name__)
def test_a_weight_in_half_precision_trains(cls, dtype):
    x, y = data()
    regularizer = cls(**samples.arguments_of(cls.__name__))
    layer = keras.layers.Dense(
        1, activation="sigmoid", dtype=dtype, kernel_regularizer=regularizer
    )
    model = keras.Sequential([keras.Input((4,), dtype=dtype), layer])
    model.compile("sgd", "mse", **compile_arguments("eager"))
    model.fit(x, y, epochs=2, verbose=0)
    kernel = keras.ops.convert_to_numpy(keras.ops.cast(layer.kernel, "float32"))
    assert layer.kernel.dtype == dtype
    assert np.all(np.isfinite(kernel))
