import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    optax_run,
    run,
)

from keras_regopt.optimizers import NovoGrad


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
@pytest.mark.parametrize(
    "betas", last_everywhere((0.0, 0.0), (0.95, 0.98), (0.9, 0.25))
)
def test_follows_optax_for_thirty_steps(betas, weight_decay):
    ours = NovoGrad(0.01, *betas, weight_decay=weight_decay)
    theirs = optax.novograd(0.01, *betas, weight_decay=weight_decay)
    assert_close(run(ours, 30), optax_run(theirs, 30))


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling(0.1)
    assert_close(
        run(NovoGrad(ours, epsilon=0.1, weight_decay=0.1), 20),
        optax_run(optax.novograd(theirs, eps=0.1, weight_decay=0.1), 20),
    )


def test_steps_do_not_depend_on_the_scale_of_the_loss():
    ways = []
    for scale in (1.0, 1000.0):
        variable = keras.Variable([1.0, 2.0])
        optimizer = NovoGrad(0.01)
        for gradient in ([1.0, 2.0], [0.5, -1.0]):
            gradient = keras.ops.convert_to_tensor(gradient) * scale
            optimizer.apply([gradient], [variable])
        ways.append(np.array(variable.numpy()))
    np.testing.assert_allclose(*ways, rtol=1e-5)


def test_averages_begin_with_the_first_gradient_of_each_variable():
    variables = [keras.Variable([1.0]), keras.Variable([1.0])]
    optimizer = NovoGrad(0.01, beta_1=0.0, beta_2=0.9)
    optimizer.build(variables)
    gradient = keras.ops.convert_to_tensor([4.0])
    optimizer.apply([gradient], variables[:1])
    optimizer.apply([gradient, gradient], variables)
    # Each of the steps has the length of the learning rate.
    values = [float(v.numpy()[0]) for v in variables]
    np.testing.assert_allclose(values, [0.98, 0.99], rtol=1e-5)


def test_tiny_gradients_stay_finite_in_half_precision():
    variable = keras.Variable([1.0], dtype="float16")
    optimizer = NovoGrad(0.01)
    for _ in range(3):
        optimizer.apply([keras.ops.full((1,), 1e-6, "float16")], [variable])
    assert np.isfinite(keras.ops.convert_to_numpy(variable.value)).all()


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: NovoGrad(0.01))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": 1.0},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of NovoGrad must be"):
        NovoGrad(**arguments)
