"""Checks of `_keras.doubles`."""

import numpy as np
from keras import ops
from keras_boundary.common import check, compiled, data, dtype_of

from keras_regopt import _keras


@check
def ValuesScope():
    model = compiled()
    kernel = model.layers[0].kernel
    other = ops.ones(kernel.shape, dtype="float16")
    with _keras.ValuesScope([kernel], [other]):
        assert dtype_of(kernel.value) == "float16"
        # As Keras' scopes do, it takes what a layer adds to the loss.
        model(data()[0])
        assert len(model.losses) == 1
    assert dtype_of(kernel.value) == "float32"


@check
def double_precision():
    model = compiled()
    x, y = data()
    model.evaluate(x, y, verbose=0)
    (loss, part) = _keras.losses_of(model)
    with _keras.double_precision(model):
        assert loss.dtype == part.dtype == "float64"
        assert model.layers[0].compute_dtype == "float64"
        values = [
            ops.convert_to_tensor(np.float64(ops.convert_to_numpy(v)))
            for v in model.trainable_variables
        ]
        x, y = (ops.convert_to_tensor(np.float64(a)) for a in (x, y))
        with _keras.ValuesScope(model.trainable_variables, values):
            outputs = model(x)
            assert dtype_of(outputs) == "float64"
            assert dtype_of(loss(y, outputs, None)) == "float64"
    assert loss.dtype == model.layers[0].compute_dtype == "float32"
    assert dtype_of(model.layers[0].kernel) == "float32"


@check
def losses_of():
    model = compiled()
    model.evaluate(*data(), verbose=0)
    total, part = _keras.losses_of(model)
    assert total is _keras.compiled_loss(model)
    assert part.dtype == "float32"
