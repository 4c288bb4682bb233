"""Batch normalization under averaged weights."""

import keras
import numpy as np
import pytest
from averaged_fit import (
    Steps,
    assert_all_same,
    assert_close,
    assert_same,
    mean,
    quick,
)

from keras_regopt.callbacks import SWA, GradualUnfreezing, WeightAveraging

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(2.0, 3.0, (24, 3)).astype("float32")
Y = RANDOM.normal(size=(24, 1)).astype("float32")
BATCHES = [X[:8], X[8:16], X[16:]]
# Of the weights of the model: kernel and bias, gamma and beta, and then
STATISTICS = slice(4, 6)


def normalized_model():
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(momentum=0.7),
            keras.layers.Dropout(0.5, seed=4),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "mse", **quick())
    return model


def trained(*callbacks, epochs=3, model=None):
    model = model or normalized_model()
    model.fit(
        X,
        Y,
        batch_size=8,
        epochs=epochs,
        shuffle=False,
        validation_data=(X, Y),
        verbose=0,
        callbacks=list(callbacks),
    )
    return model


@pytest.fixture(scope="module")
def seen():
    steps = Steps()
    trained(steps)
    return steps.seen


def test_statistics_are_averaged_like_weights(seen):
    model = trained(WeightAveraging("swa"))
    assert_close(model.get_weights(), mean(seen[3::3]))


@pytest.mark.any_backend
def test_statistics_can_be_the_latest(seen):
    model = trained(WeightAveraging("swa", batch_norm="keep"))
    expected = mean(seen[3::3])
    expected[STATISTICS] = seen[-1][STATISTICS]
    assert_close(model.get_weights(), expected)


def reestimated(weights, batches):
    """The mean over batches of what each has, in double precision."""
    kernel, bias = (w.astype("float64") for w in weights[:2])
    hidden = [batch.astype("float64") @ kernel + bias for batch in batches]
    return [
        np.mean([h.mean(axis=0) for h in hidden], axis=0),
        np.mean([h.var(axis=0) for h in hidden], axis=0),
    ]


def as_dataset():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return BATCHES[index], Y[:8]


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("data", "batches"),
    [
        (lambda: BATCHES, BATCHES),
        (lambda: X, [X]),
        (as_dataset, BATCHES),
        (Sequence, BATCHES),
    ],
    ids=["list", "array", "tf.data", "PyDataset"],
)
def test_statistics_can_be_computed_anew_from_data(data, batches, seen):
    model = trained(
        WeightAveraging("swa", batch_norm="reestimate", data=data())
    )
    expected = mean(seen[3::3])
    expected[STATISTICS] = reestimated(expected, batches)
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)
    assert model.layers[1].momentum == 0.7


@pytest.mark.any_backend
def test_computing_anew_leaves_the_training_as_it_is(seen):
    # Dropout draws the same numbers, and the statistics are those of before.
    steps = Steps()
    callback = WeightAveraging(
        "swa", batch_norm="reestimate", data=BATCHES, overwrite=False
    )
    model = trained(callback, steps)
    assert_all_same(steps.seen, seen)
    assert_same(model.get_weights(), seen[-1])


@pytest.mark.any_backend
def test_frozen_layers_keep_their_statistics():
    model = normalized_model()
    model.layers[1].trainable = False
    model.compile("sgd", "mse", **quick())
    start = model.get_weights()
    average = WeightAveraging(SWA(), batch_norm="reestimate", data=BATCHES)
    trained(average, model=model, epochs=1)
    assert_same(model.get_weights()[STATISTICS], start[STATISTICS])


@pytest.mark.any_backend
def test_layers_that_are_unfrozen_meanwhile_are_computed_anew():
    model = normalized_model()
    start = model.get_weights()
    unfreezing = GradualUnfreezing()
    average = WeightAveraging(SWA(), batch_norm="reestimate", data=BATCHES)
    trained(average, unfreezing, model=model, epochs=1)
    assert_same(model.get_weights()[STATISTICS], start[STATISTICS])
    trained(average, unfreezing, model=model, epochs=3)
    for ours, theirs in zip(
        model.get_weights()[STATISTICS],
        reestimated(model.get_weights(), BATCHES),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)


@pytest.mark.any_backend
def test_data_without_a_batch_are_refused():
    callback = WeightAveraging("swa", batch_norm="reestimate", data=[])
    with pytest.raises(ValueError, match="one batch at least"):
        trained(callback, epochs=1)
