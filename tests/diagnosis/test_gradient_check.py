"""Wrong gradients are found, right ones pass, and the model stays as it is."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_regopt.diagnosis import check_gradients
from keras_regopt.diagnosis._differences import slope

any_backend = pytest.mark.any_backend
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(8, 4))
Y = RANDOM.normal(size=(8, 4))
FEW = {"coordinates": 6, "directions": 1}


def upstream_of(arguments, upstream):
    return arguments[0] if upstream is None else upstream


class TwiceTheGradient(layers.Layer):
    def call(self, inputs):
        @ops.custom_gradient
        def squared(x):
            def grad(*arguments, upstream=None):
                return upstream_of(arguments, upstream) * 4.0 * x

            return x * x, grad

        return squared(inputs)


class Transposed(layers.Layer):
    """Sends gradients back through the weight as it is."""

    def build(self, input_shape):
        size = input_shape[-1]
        self.kernel = self.add_weight(shape=(size, size), name="kernel")

    def call(self, inputs):
        @ops.custom_gradient
        def product(x, w):
            def grad(*arguments, upstream=None):
                g = upstream_of(arguments, upstream)
                return ops.matmul(g, w), ops.matmul(ops.transpose(x), g)

            return ops.matmul(x, w), grad

        return product(inputs, ops.convert_to_tensor(self.kernel))


class HalfCutOff(keras.losses.Loss):
    def call(self, y_true, y_pred):
        cut = ops.stop_gradient(y_pred)
        return ops.mean((y_true - y_pred) * (y_true - cut), axis=-1)


def model_with(*inner, loss="mse"):
    model = keras.Sequential(
        [keras.Input((4,)), *inner, layers.Dense(4, name="out")]
    )
    model.compile("sgd", loss)
    return model


def state(model):
    return [np.array(ops.convert_to_numpy(v)) for v in model.variables]


def test_a_healthy_model_passes_at_1e_6_and_stays_as_it_is():
    model = model_with(
        layers.Dense(5, "relu", kernel_regularizer="l1"),
        layers.BatchNormalization(),
        layers.Dropout(0.3, seed=1),
        layers.Dense(4, "tanh", activity_regularizer="l2"),
    )
    before = state(model)
    result = check_gradients(model, X, Y, coordinates=8, directions=2)
    assert result.passed, result.text()
    assert result.worst < 1e-6
    # Each of eight variables in both modes.
    assert len(result.variables) == 16
    assert all(v.verdict == "good" for v in result.variables)
    for old, new in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.dtype_policy.name == keras.config.floatx() == "float32"


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("inner", "loss"),
    [
        ([layers.Dense(4, name="early"), TwiceTheGradient()], "mse"),
        ([layers.Dense(4, name="early"), Transposed()], "mse"),
        ([layers.Dense(4, name="early")], HalfCutOff()),
    ],
    ids=["twice", "transposed", "cut off"],
)
def test_a_wrong_gradient_is_found_where_it_arrives(inner, loss):
    result = check_gradients(model_with(*inner, loss=loss), X, Y, **FEW)
    assert not result.passed
    wrong = {v.path for v in result.variables if v.verdict == "wrong"}
    assert any("early" in path for path in wrong)
    if isinstance(loss, str):
        # Behind the fault nothing is wrong.
        assert not any("out" in path for path in wrong)
    assert result.variables[0].verdict == "wrong"
    assert "failed" in repr(result)


@any_backend
def test_half_precision_integers_and_weights_of_rows_are_checked():
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(9, 4),
            layers.Flatten(),
            layers.Dense(3, "softmax", dtype="float32"),
        ]
    )
    model.layers[0].dtype_policy = keras.dtype_policies.DTypePolicy(
        "mixed_float16"
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    x = RANDOM.integers(0, 9, (8, 3))
    y = RANDOM.integers(0, 3, 8)
    weights = np.linspace(0, 1, 8)
    result = check_gradients(model, x, y, sample_weight=weights, **FEW)
    assert result.passed
    assert result.worst < 1e-6
    assert model.layers[0].compute_dtype == "float16"


@any_backend
def test_a_variable_without_effect_is_unused():
    inputs = keras.Input((4,))
    dead = layers.Dense(4, name="dead")(inputs)
    used = layers.Dense(4, name="used")(inputs)
    model = keras.Model(inputs, used + ops.stop_gradient(dead) * 0)
    model.compile("sgd", "mse")
    result = check_gradients(model, X, Y, **FEW)
    verdicts = {v.path: v.verdict for v in result.variables}
    assert verdicts["dead/kernel"] == "unused"
    assert verdicts["used/kernel"] == "good"
    assert result.passed
    assert "unused" in result.text()
    assert "<table>" in result._repr_html_()


@any_backend
def test_kinks_are_left_out():
    def scale(slope):
        return max(abs(slope), 1e-3)

    # The slope at a kink is none, whatever the difference says.
    assert slope(abs, 0.0, scale, 1e-6) is None
    # One within the first step, but not within the last.
    found = slope(lambda t: abs(t - 3e-5) + t, 3e-5, scale, 1e-6)
    assert found == pytest.approx(0.0, abs=1e-9)
    smooth = slope(lambda t: np.exp(2 * t), 1.0, scale, 1e-6)
    assert smooth == pytest.approx(2.0, rel=1e-9)
    assert slope(lambda t: np.nan, 0.0, scale, 1e-6) is None


@any_backend
def test_units_at_a_kink_do_not_make_a_gradient_wrong():
    # Biases of zero and inputs of zero: every unit is at its kink.
    model = model_with(layers.Dense(5, "relu"))
    result = check_gradients(model, 0 * X, Y, **FEW)
    assert result.passed
    bias = [v for v in result.variables if "dense" in v.path.split("/")[1]]
    assert any(v.skipped for v in bias)


@any_backend
def test_bad_arguments_are_refused():
    model = model_with()
    with pytest.raises(ValueError, match="`rows` of check_gradients"):
        check_gradients(model, X, Y, rows=0)
    with pytest.raises(ValueError, match="`tolerance` of check_gradients"):
        check_gradients(model, X, Y, tolerance=0)
    with pytest.raises(ValueError, match="must be of the length of `x`"):
        check_gradients(model, X, Y[:3])
    with pytest.raises(ValueError, match="must be compiled"):
        check_gradients(
            keras.Sequential([keras.Input((4,)), layers.Dense(1)]), X, Y
        )
    with pytest.raises(ValueError, match="must be built"):
        check_gradients(keras.Sequential([layers.Dense(1)]), X, Y)
    with pytest.raises(ValueError, match="must be a Keras model"):
        check_gradients("model", X, Y)
