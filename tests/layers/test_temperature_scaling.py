"""The temperature is that of the largest likelihood, and is saved."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.layers import TemperatureScaling

any_backend = pytest.mark.any_backend
RANDOM = np.random.default_rng(0)
# Classes drawn by the probabilities of these logits.
LOGITS = 2 * RANDOM.normal(size=(4000, 3))
P = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
CLASSES = (RANDOM.uniform(size=(4000, 1)) > P.cumsum(axis=1)).sum(axis=1)


def test_finds_by_what_logits_are_too_large_and_is_saved(tmp_path):
    layer = TemperatureScaling()
    model = keras.Sequential([keras.Input((3,)), layer])
    # By five times: 4,000 rows tell it to a twentieth.
    assert layer.calibrate(5 * LOGITS, CLASSES) == pytest.approx(5, rel=0.05)
    outputs = model.predict(5 * LOGITS[:8], verbose=0)
    np.testing.assert_allclose(outputs, LOGITS[:8], rtol=0.06, atol=0.01)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again.predict(5 * LOGITS[:8], verbose=0), outputs
    )
    assert not model.trainable_variables


@any_backend
def test_probabilities_and_one_output_give_the_same_temperature():
    expected = TemperatureScaling().calibrate(3 * LOGITS, CLASSES)
    sharp = np.exp(3 * LOGITS - 3 * LOGITS.max(axis=1, keepdims=True))
    sharp = sharp / sharp.sum(axis=1, keepdims=True)
    layer = TemperatureScaling(from_logits=False)
    one_hot = np.eye(3)[CLASSES]
    # Probabilities are kept from zero.
    assert layer.calibrate(sharp, one_hot) == pytest.approx(expected, rel=0.02)
    outputs = ops.convert_to_numpy(layer(sharp[:50]))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(
        outputs.argmax(axis=1), sharp[:50].argmax(axis=1)
    )

    logit = RANDOM.normal(size=(4000, 1))
    truth = RANDOM.uniform(size=(4000, 1)) < 1 / (1 + np.exp(-logit))
    of_logits = TemperatureScaling().calibrate(4 * logit, truth.astype(int))
    single = TemperatureScaling(from_logits=False)
    found = single.calibrate(1 / (1 + np.exp(-4 * logit)), truth.astype(int))
    assert of_logits == pytest.approx(4, rel=0.1)
    assert found == pytest.approx(of_logits, rel=0.02)
    outputs = ops.convert_to_numpy(single(np.array([[0.5], [0.9]])))
    assert outputs[0] == pytest.approx(0.5, abs=1e-6)
    assert 0.5 < outputs[1] < 0.9


@any_backend
def test_bad_data_are_refused():
    layer = TemperatureScaling()
    with pytest.raises(ValueError, match="`targets` of Temperature"):
        layer.calibrate(LOGITS, CLASSES[:5])
    with pytest.raises(ValueError, match="`targets` of Temperature"):
        layer.calibrate(LOGITS, CLASSES + 1)
    with pytest.raises(ValueError, match="`outputs` of Temperature"):
        layer.calibrate(LOGITS[0], CLASSES)
    with pytest.raises(ValueError, match="probabilities"):
        TemperatureScaling(from_logits=False).calibrate(LOGITS, CLASSES)
    with pytest.raises(ValueError, match="`temperature` of"):
        TemperatureScaling(temperature=0)
