import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt._autodiff import gradients_of, pullback


def tensor(values):
    return ops.convert_to_tensor(np.array(values, "float32"))


def array(x):
    return ops.convert_to_numpy(x)


def test_pulls_a_vector_back_to_all_inputs():
    x, y = tensor([1.0, 2.0]), tensor([3.0, 4.0])
    value, pull = pullback(lambda xs: xs[0] * ops.square(xs[1]), [x, y])
    slopes = pull(tensor([1.0, 10.0]))
    np.testing.assert_allclose(array(ops.stop_gradient(value)), [9.0, 32.0])
    np.testing.assert_allclose(array(ops.stop_gradient(slopes[0])), [9, 160])
    np.testing.assert_allclose(array(ops.stop_gradient(slopes[1])), [6, 160])


@pytest.mark.parametrize("used", [True, False])
def test_an_input_without_influence_has_the_slope_zero(used):
    def function(inputs):
        return ops.sum(inputs[0]) if used else tensor(3.0)

    value, pull = pullback(function, [tensor([1.0]), tensor([2.0, 3.0])])
    slopes = pull(ops.ones_like(value))
    np.testing.assert_allclose(array(slopes[0]), [float(used)])
    np.testing.assert_allclose(array(slopes[1]), [0.0, 0.0])


def squared_slope(weight):
    """That of `weight * x ** 2` at 3, which is `36 * weight ** 2`."""
    value, pull = pullback(
        lambda xs: ops.sum(weight * ops.square(xs[0])), [tensor([3.0])]
    )
    return ops.sum(ops.square(pull(ops.ones_like(value))[0]))


def test_slopes_are_differentiated_by_a_weight():
    if keras.backend.backend() == "jax":
        import jax

        slope = jax.grad(squared_slope)(tensor(2.0))
    else:
        weight = keras.Variable(2.0)

        def penalty():
            return squared_slope(ops.convert_to_tensor(weight)), None

        ((slope,), _) = gradients_of(penalty, [weight])
    assert float(slope) == pytest.approx(144.0)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX differentiates by values"
)
@pytest.mark.parametrize("zeros", [True, False])
def test_gradients_by_variables(zeros):
    weight, idle = keras.Variable([1.0, 2.0]), keras.Variable([3.0])

    def loss():
        return ops.sum(ops.square(ops.convert_to_tensor(weight))), "more"

    slopes, rest = gradients_of(loss, [weight, idle], zeros=zeros)
    assert rest == "more"
    np.testing.assert_allclose(array(slopes[0]), [2.0, 4.0])
    if zeros:
        np.testing.assert_allclose(array(slopes[1]), [0.0])
    else:
        assert slopes[1] is None
