"""Validation data that are put into batches once."""

import keras
import numpy as np
import pytest

from keras_regopt.tuning._validation_batches import ValidationBatches

X = np.arange(14.0).reshape(7, 2)
Y = np.arange(7)
WEIGHTS = np.linspace(0.5, 2, 7)
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


@pytest.mark.parametrize("data", [(X, Y), (X[:6], Y[:6]), (X, Y, WEIGHTS)])
def test_the_batches_are_those_of_the_arrays(data):
    batches, keywords = ValidationBatches(), {"validation_data": data}
    made = batches.in_place_of(0, keywords, {"batch_size": 3})
    if not ON_TENSORFLOW:
        assert made is keywords
        return
    dataset = made["validation_data"]
    assert batches.in_place_of(0, keywords, {"batch_size": 3}) == made
    expected = [[part[i : i + 3] for part in data] for i in (0, 3, 6)]
    found = [[part.numpy() for part in batch] for batch in dataset]
    assert len(found) == len(dataset) == -(-len(data[0]) // 3)
    for batch, other in zip(found, expected, strict=False):
        assert batch[0].dtype == "float32"
        assert batch[1].dtype == Y.dtype
        for part, values in zip(batch, other, strict=True):
            np.testing.assert_array_equal(part, values.astype(part.dtype))
    # One compiled step for folds with and without a rest.
    assert dataset.element_spec[0].shape.as_list() == [None, 2]


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (({"a": X}, Y), {}),
        ((X, Y, WEIGHTS[:, None]), {}),
        ((X.astype("object"), Y), {}),
        (X, {}),
        ((X, Y), {"validation_steps": 1}),
    ],
)
def test_other_data_are_left_to_fit(data, options):
    keywords = {"validation_data": data}
    assert ValidationBatches().in_place_of(0, keywords, options) is keywords


def test_few_samples_are_one_batch():
    keywords = {"validation_data": (X, Y)}
    made = ValidationBatches().in_place_of(0, keywords, {})
    if ON_TENSORFLOW:
        [(x, y)] = made["validation_data"]
        assert x.shape == (7, 2)
        assert y.shape == (7,)
