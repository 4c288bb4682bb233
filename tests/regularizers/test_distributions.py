import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from keras_regopt.regularizers._distributions import (
    divergence,
    log_probabilities,
)

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(4, 5), (4, 3, 5), (4, 2, 3, 5)])
def test_each_example_has_one_divergence_the_mean_of_its_steps(shape):
    p, q = (log_softmax(RANDOM.normal(size=shape), axis=-1) for _ in range(2))
    expected = np.sum(np.exp(p) * (p - q), axis=-1).reshape(4, -1).mean(axis=1)
    for from_logits in (True, False):
        given = [p, q] if from_logits else [np.exp(p), np.exp(q)]
        given = [keras.ops.cast(y, "float32") for y in given]
        logs = [log_probabilities(y, from_logits) for y in given]
        result = keras.ops.convert_to_numpy(divergence(*logs))
        np.testing.assert_allclose(result, expected, rtol=1e-4)


def test_several_outputs_add_up():
    y = keras.ops.cast(RANDOM.uniform(size=(4, 1)), "float32")
    z = keras.ops.cast(RANDOM.uniform(size=(4, 1)), "float32")
    one = divergence(log_probabilities(y, False), log_probabilities(z, False))
    two = divergence(
        log_probabilities({"a": y, "b": y}, False),
        log_probabilities({"a": z, "b": z}, False),
    )
    np.testing.assert_allclose(
        *map(keras.ops.convert_to_numpy, (2 * one, two)), rtol=1e-6
    )


def test_certain_predictions_have_a_finite_divergence():
    sure = keras.ops.convert_to_tensor([[1.0, 0.0]])
    other = keras.ops.convert_to_tensor([[0.0, 1.0]])
    logs = [log_probabilities(y, False) for y in (sure, other)]
    assert np.isfinite(keras.ops.convert_to_numpy(divergence(*logs)))
