"""Checks of `_keras.fitting`."""

import keras
import numpy as np
from keras_boundary.common import (
    check,
    compiled,
    data,
    on,
    within_fit,
)
from keras_boundary.fit_data import (
    iterator_of_fit,
    loader_in_fit,
    pipeline_in_fit,
)

from keras_regopt import _keras


@check
def running_fit():
    for hook in ("on_train_begin", "on_train_batch_begin", "on_epoch_end"):
        ((iterator, callbacks), *_) = within_fit(_keras.running_fit, hook)
        assert isinstance(iterator, _keras.EpochIterator)
        assert isinstance(callbacks, keras.callbacks.CallbackList)
        assert iterator.steps_per_execution == 1
    assert _keras.running_fit(compiled()) == (None, None)


@check
def set_first_epoch():
    def begin_late(model):
        _keras.set_first_epoch(model, 3)

    model = compiled()
    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: begin_late(model)
    )
    history = model.fit(*data(), epochs=5, callbacks=[callback], verbose=0)
    assert history.epoch == [3, 4]


@check
def validation_iterator():
    (found, *_) = within_fit(
        _keras.validation_iterator, "on_test_begin", validation_data=data()
    )
    assert isinstance(found, _keras.EpochIterator)
    assert _keras.validation_iterator(compiled()) is None


@check
def replace_steps():
    found = []

    def replace(model):
        iterator, _ = _keras.running_fit(model)

        def steps():
            for begin, end, batches in original():
                found.append((begin, end))
                yield begin, end, batches

        original = _keras.replace_steps(iterator, steps)

    within_fit(replace, "on_epoch_begin")
    assert found[:2] == [(0, 0), (1, 1)]


@check
def replace_iterator():
    on("torch")
    found = []

    def replace(model):
        iterator, _ = _keras.running_fit(model)

        def make():
            found.append(True)
            return original()

        original = _keras.replace_iterator(iterator, make)

    within_fit(replace, "on_epoch_begin")
    assert found


@check
def has_iterator():
    def look(model):
        return _keras.has_iterator(_keras.running_fit(model)[0])

    assert within_fit(look) == [False, False]
    assert within_fit(look, steps_per_epoch=1) == [True]


@check
def is_between_passes():
    def look(model):
        return _keras.is_between_passes(_keras.running_fit(model)[0])

    assert within_fit(look, "on_train_batch_begin") == [True, True]
    options = {"steps_per_epoch": 1, "epochs": 2}
    assert within_fit(look, "on_epoch_end", **options)[0] is False


@check
def go_on_with():
    on("torch")
    found = []

    def replace(model):
        epoch_iterator, _ = _keras.running_fit(model)

        def batches():
            for batch in epoch_iterator.data_adapter.get_torch_dataloader():
                found.append(batch)
                yield batch

        _keras.go_on_with(epoch_iterator, batches())
        assert _keras.is_between_passes(epoch_iterator)

    within_fit(replace, "on_epoch_begin", steps_per_epoch=1)
    assert len(found) == 1


@check
def dataset_of():
    on("tensorflow")
    shapes = [
        spec.shape for spec in _keras.dataset_of(iterator_of_fit()).element_spec
    ]
    assert [shape[-1] for shape in shapes] == [3, 1]


@check
def set_dataset():
    on("tensorflow")
    found = []

    def replace(model):
        iterator, _ = _keras.running_fit(model)
        dataset = _keras.dataset_of(iterator).map(
            lambda x, y: (found.append(True), (x, y))[1]
        )
        _keras.set_dataset(iterator, dataset)

    within_fit(replace, "on_epoch_begin")
    assert found


@check
def arrays_of():
    x, y = data()
    found = _keras.arrays_of(iterator_of_fit().data_adapter)
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[1], y)


@check
def shuffles():
    assert _keras.shuffles(iterator_of_fit().data_adapter)


@check
def pipeline_of():
    adapter, dataset = pipeline_in_fit()
    found = _keras.pipeline_of(adapter)
    assert found.element_spec == dataset.element_spec


@check
def loader_of():
    adapter, loader = loader_in_fit()
    assert _keras.loader_of(adapter) is loader
