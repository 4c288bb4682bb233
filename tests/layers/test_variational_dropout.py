import keras
import numpy as np
import pytest

from keras_regopt.layers import VariationalDropout


def drawn(layer, x):
    return keras.ops.convert_to_numpy(layer(x, training=True))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_features_of_examples_at_its_rate_and_keeps_the_mean(rate):
    x = np.ones((200, 3, 100), "float32")
    y = drawn(VariationalDropout(rate, seed=0), x)
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 3, axis=1))
    # Five standard deviations of a binomial: wrong once in two million runs.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / y[:, 0].size)
    assert np.mean(y == 0) == pytest.approx(rate, abs=tolerance)
    assert y.mean() == pytest.approx(1, abs=tolerance / (1 - rate))


@pytest.mark.parametrize("axis", [2, [1, 3], -1])
def test_shares_the_mask_along_the_named_axes_alone(axis):
    x = np.ones((8, 6, 6, 6), "float32")
    y = drawn(VariationalDropout(0.5, axis=axis, seed=0), x)
    shared = {a % 4 for a in np.atleast_1d(axis)}
    for a in range(4):
        is_shared = np.array_equal(y, np.repeat(y.take([0], a), y.shape[a], a))
        assert is_shared == (a in shared)


@pytest.mark.any_backend
def test_passes_a_mask_on_to_a_recurrent_layer():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    model = keras.Sequential(
        [
            keras.layers.Embedding(5, 4, mask_zero=True),
            VariationalDropout(0.5),
            keras.layers.LSTM(3),
        ]
    )
    padded = keras.ops.convert_to_numpy(model(np.pad(ids, ((0, 0), (0, 2)))))
    plain = keras.ops.convert_to_numpy(model(ids))
    np.testing.assert_allclose(padded, plain, rtol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize("axis", [2, -2])
def test_asks_for_an_axis_that_the_inputs_have(axis):
    with pytest.raises(ValueError, match="other than the batch's"):
        VariationalDropout(axis=axis)(np.ones((2, 3)), training=True)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"rate": 1.0}, "rate"), ({"axis": 0}, "axis"), ({"axis": []}, "axis")],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(
        ValueError, match=f"`{name}` of VariationalDropout must be"
    ):
        VariationalDropout(**arguments)
