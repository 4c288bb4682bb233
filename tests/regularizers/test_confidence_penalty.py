import keras
import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from keras_regopt.regularizers import ConfidencePenalty
from keras_regopt.regularizers._activities import divisor
from keras_regopt.testing._backend import gradient, to_numpy

LOGITS = np.random.default_rng(0).normal(size=(6, 4, 5))
LOGITS[0, 0] = [80, 0, 0, 0, 0]


@pytest.mark.parametrize("from_logits", [True, False])
def test_adds_what_the_mean_entropy_lacks(from_logits):
    probabilities = softmax(LOGITS, axis=-1)
    x = LOGITS if from_logits else probabilities
    layer = keras.layers.Activation(
        "linear", activity_regularizer=ConfidencePenalty(0.1, from_logits)
    )
    layer(x.astype("float32"))
    lack = np.log(5) - entropy(probabilities, axis=-1)
    assert float(to_numpy(layer.losses[0])) == pytest.approx(
        0.1 * lack.mean(), rel=1e-4
    )


def test_has_the_slope_of_the_paper():
    # dH/dz_i = p_i * (-log p_i - H), of which the paper subtracts beta times.
    logits = LOGITS[1:, 0]
    slope = gradient(ConfidencePenalty(0.1, True), logits.astype("float32"))
    p = softmax(logits, axis=-1)
    h = entropy(p, axis=-1)[:, None]
    expected = -0.1 * p * (-np.log(p) - h)
    expected = expected * float(divisor(logits.astype("float32"))) / len(logits)
    np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("from_logits", [True, False])
def test_one_unit_stands_for_two_classes(from_logits):
    penalty = ConfidencePenalty(0.1, from_logits)
    one = np.array([[0.8]]) if not from_logits else np.log([[4.0]])
    two = np.array([[0.8, 0.2]]) if not from_logits else np.log([[4.0, 1.0]])
    value = float(penalty(one.astype("float32")))
    assert value == pytest.approx(float(penalty(two.astype("float32"))))


@pytest.mark.any_backend
def test_the_slope_is_finite_where_a_classifier_is_certain():
    for from_logits, x in ((True, [[1e4, 0.0]]), (False, [[1.0, 0.0]])):
        penalty = ConfidencePenalty(0.1, from_logits)
        assert np.all(np.isfinite(gradient(penalty, np.array(x, "float32"))))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"rate": -1}, "rate"), ({"from_logits": 1}, "from_logits")],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of ConfidencePenalty must"):
        ConfidencePenalty(**arguments)
