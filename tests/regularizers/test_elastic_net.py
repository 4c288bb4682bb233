import keras
import numpy as np
import pytest

from keras_regopt.regularizers import ElasticNet
from keras_regopt.testing._backend import gradient

WEIGHT = np.random.default_rng(0).normal(size=(5, 3))


def formula(w, rate, l1_ratio):
    l1 = l1_ratio * np.abs(w).sum()
    return rate * (l1 + (1 - l1_ratio) / 2 * np.square(w).sum())


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
def test_equals_the_formula(l1_ratio):
    penalty = ElasticNet(0.1, l1_ratio)(WEIGHT.astype("float32"))
    expected = formula(WEIGHT, 0.1, l1_ratio)
    assert float(penalty) == pytest.approx(expected, rel=1e-5)


def test_has_the_slope_of_the_formula():
    slope = gradient(ElasticNet(0.1, 0.3), WEIGHT.astype("float32"))
    expected = 0.1 * (0.3 * np.sign(WEIGHT) + 0.7 * WEIGHT)
    np.testing.assert_allclose(slope, expected, rtol=1e-5)


@pytest.mark.any_backend
def test_scales_like_keras_l1_l2():
    l1, l2 = 0.01, 0.02
    ours = ElasticNet(l1 + 2 * l2, l1 / (l1 + 2 * l2))
    theirs = keras.regularizers.L1L2(l1, l2)
    weight = keras.ops.convert_to_tensor(WEIGHT.astype("float32"))
    assert float(ours(weight)) == pytest.approx(float(theirs(weight)), rel=1e-5)


def test_finds_the_coefficients_of_scikit_learn():
    from sklearn import linear_model

    random = np.random.default_rng(0)
    x = random.normal(size=(100, 4)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5], [0.0]], "float32")
    rate, l1_ratio = 0.1, 0.3
    # scikit-learn halves the mean of the squares.
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(
                1,
                use_bias=False,
                kernel_regularizer=ElasticNet(2 * rate, l1_ratio),
            ),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    # One epoch: to begin one takes TensorFlow longer than its step.
    model.fit(
        np.tile(x, (300, 1)),
        np.tile(y, (300, 1)),
        batch_size=100,
        shuffle=False,
        verbose=0,
    )
    oracle = linear_model.ElasticNet(
        alpha=rate, l1_ratio=l1_ratio, fit_intercept=False
    ).fit(x, y[:, 0])
    ours = keras.ops.convert_to_numpy(model.layers[0].kernel)[:, 0]
    # A subgradient method circles around zero at the size of a step.
    np.testing.assert_allclose(ours, oracle.coef_, atol=0.01)


@pytest.mark.any_backend
def test_does_not_overflow_in_half_precision():
    weight = keras.ops.cast(np.full((300,), 30.0), "float16")
    penalty = ElasticNet(1.0, 0.0)(weight)
    assert float(penalty) == pytest.approx(300 * 900 / 2, rel=1e-3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rate": -1}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": "strong"}, "rate"),
        ({"l1_ratio": 1.1}, "l1_ratio"),
        ({"l1_ratio": True}, "l1_ratio"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of ElasticNet must be"):
        ElasticNet(**arguments)
