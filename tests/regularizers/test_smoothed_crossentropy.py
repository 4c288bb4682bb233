import keras
import numpy as np
import pytest

from keras_regopt.regularizers import SmoothedCrossentropy

LOGITS = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], "float32")
LABELS = np.array([2, 0])


def value(loss, labels, from_logits):
    predictions = keras.ops.convert_to_tensor(LOGITS)
    if not from_logits:
        predictions = keras.ops.softmax(predictions)
    return float(loss(labels, predictions))


@pytest.mark.parametrize("from_logits", [False, True])
def test_equals_keras_loss_of_one_hot_labels(from_logits):
    theirs = keras.losses.CategoricalCrossentropy(
        from_logits=from_logits, label_smoothing=0.2
    )
    ours = SmoothedCrossentropy(0.2, from_logits=from_logits)
    rows = np.eye(3, dtype="float32")[LABELS]
    wanted = value(theirs, rows, from_logits)
    for labels in (LABELS, LABELS[:, None], rows):
        assert value(ours, labels, from_logits) == pytest.approx(
            wanted, rel=1e-5
        )


@pytest.mark.any_backend
def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`label_smoothing` of Smoothed"):
        SmoothedCrossentropy(1.0)
