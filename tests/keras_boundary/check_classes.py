"""Checks of `_keras.classes`."""

import keras
import numpy as np
from keras import ops
from keras_boundary.common import (
    CHECKS,
    check,
    data,
    dtype_of,
)
from keras_boundary.fit_data import (
    iterator_of_fit,
    loader_in_fit,
    pipeline_in_fit,
)

from keras_regopt import _keras


@check
def ArrayDataAdapter():
    assert isinstance(iterator_of_fit().data_adapter, _keras.ArrayDataAdapter)


@check
def PyDatasetAdapter():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return data(4)

    adapter = iterator_of_fit(Batches()).data_adapter
    assert isinstance(adapter, _keras.PyDatasetAdapter)
    assert adapter.py_dataset is not None
    assert adapter.enqueuer is None


@check
def TFDatasetAdapter():
    assert isinstance(pipeline_in_fit()[0], _keras.TFDatasetAdapter)


@check
def TorchDataLoaderAdapter():
    assert isinstance(loader_in_fit()[0], _keras.TorchDataLoaderAdapter)


@check
def EpochIterator():
    assert isinstance(iterator_of_fit(), _keras.EpochIterator)


@check
def AutocastScope():
    layer = keras.layers.Dense(1, dtype="mixed_bfloat16")
    layer.build((None, 2))
    with _keras.AutocastScope("bfloat16"):
        assert dtype_of(layer.kernel.value) == "bfloat16"
        with _keras.AutocastScope(None):
            assert dtype_of(layer.kernel.value) == "float32"


@check
def BaseImagePreprocessingLayer():
    layer = keras.layers.RandomBrightness(0.1)
    assert isinstance(layer, _keras.BaseImagePreprocessingLayer)


@check
def DataLayer():
    assert isinstance(keras.layers.RandomFlip(), _keras.DataLayer)


@check
def DropoutRNNCell():
    cell = keras.layers.LSTMCell(2)
    assert isinstance(cell, _keras.DropoutRNNCell)
    for name in ("get", "reset"):
        assert callable(getattr(cell, f"{name}_dropout_mask"))
        assert callable(getattr(cell, f"{name}_recurrent_dropout_mask"))


@check
def Functional():
    inputs = keras.Input((3,))
    assert isinstance(keras.Model(inputs, inputs * 2), _keras.Functional)


@check
def REST_IN_INFERENCE():
    x = np.ones((2, 3, 4, 5, 6), "float32")
    for cls in _keras.REST_IN_INFERENCE:
        layer = (
            cls() if cls is keras.layers.ActivityRegularization else cls(0.5)
        )
        rank = {"1D": 3, "2D": 4, "3D": 5}.get(cls.__name__[-2:], 5)
        own = x[(0,) * (5 - rank)]
        np.testing.assert_array_equal(layer(own, training=False), own)


@check
def DIVIDES_ACTIVITY_PENALTIES():
    losses = []
    for examples in (1, 4):
        layer = keras.layers.ActivityRegularization(l2=1.0)
        layer(np.ones((examples, 1), "float32"))
        losses.append(float(layer.losses[0]))
    assert (losses[0] == losses[1]) == _keras.DIVIDES_ACTIVITY_PENALTIES


@check
def print_msg(monkeypatch):
    lines = []
    monkeypatch.setattr("builtins.print", lambda *a, **_: lines.append(a))
    monkeypatch.setattr("sys.stdout.write", lambda text: lines.append(text))
    _keras.print_msg("a message")
    assert any("a message" in str(line) for line in lines)


@check
def scale_loss_for_distribution():
    loss = ops.convert_to_tensor(2.0)
    scaled = _keras.scale_loss_for_distribution(loss)
    assert float(_keras.unscale_loss_for_distribution(scaled)) == 2.0


CHECKS["unscale_loss_for_distribution"] = scale_loss_for_distribution
