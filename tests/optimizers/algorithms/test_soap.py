import functools

import keras
import numpy as np
import pytest
import pytorch_optimizer
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    gradients,
    run,
    torch_run,
    variables_at_start,
)

from keras_regopt.optimizers import SOAP


def given(*shapes):
    return functools.partial(gradients, shapes=shapes)


# The first factors have rank enough to tell all eigenvectors but for a sign.
GIVEN = given((), (3,), (3, 4), (2, 1), (2, 3, 4))


def reference_run(learning_rate, steps, given=GIVEN, weight_decay=0, **options):
    return torch_run(
        pytorch_optimizer.SOAP,
        learning_rate,
        steps,
        given=given,
        weight_decay=weight_decay,
        **options,
    )


@pytest.mark.parametrize(
    "options",
    last_everywhere(
        {"precondition_frequency": 1},
        {"precondition_frequency": 4, "weight_decay": 0.5},
        {"shampoo_beta": 0.8, "normalize_gradient": True},
        {"max_precondition_dim": 3},
    ),
)
def test_follows_pytorch_optimizer_for_thirty_steps(options):
    ours = run(SOAP(0.01, **options), 30, given=GIVEN)
    theirs = reference_run(0.01, 30, **options)
    assert_close(ours, theirs, atol=2e-6)


def test_follows_pytorch_optimizer_with_merged_axes():
    shapes = [(), (2, 2, 4), (2, 2, 3), (2, 2)]
    options = {"max_precondition_dim": 4, "merge_dims": True}
    ours = run(SOAP(0.01, **options), 25, given=given(*shapes))
    theirs = reference_run(0.01, 25, given(*shapes[:3]), **options)
    assert_close(ours[:3], theirs, atol=2e-6)


def test_follows_pytorch_optimizer_with_preconditioned_vectors():
    ours = run(SOAP(0.01, precondition_1d=True), 25, given=given((2,)))
    theirs = reference_run(0.01, 25, given((2,)), precondition_1d=True)
    assert_close(ours, theirs, atol=2e-6)


@pytest.mark.any_backend
def test_follows_pytorch_optimizer_under_a_schedule():
    schedule, rate_at = falling()
    options = {"betas": (0.9, 0.99), "precondition_frequency": 3}
    ours = run(
        SOAP(schedule, 0.9, 0.99, precondition_frequency=3), 20, given=GIVEN
    )
    theirs = reference_run(rate_at, 20, **options)
    assert_close(ours, theirs, atol=2e-6)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: SOAP(0.1), given=GIVEN)


def test_does_not_move_at_the_first_step():
    optimizer = SOAP(0.1, weight_decay=0.5, normalize_gradient=True)
    first = run(optimizer, 1, given=GIVEN)
    for a, b in zip(first, GIVEN(1000), strict=True):
        np.testing.assert_array_equal(a, b)


def test_keeps_its_bases_orthogonal_and_in_single_precision():
    optimizer = SOAP(0.01, precondition_frequency=2)
    variables = variables_at_start("bfloat16", given((3, 4), (2, 3, 4)))
    run(optimizer, 25, variables, given=given((3, 4), (2, 3, 4)))
    for matrices in optimizer.bases:
        for matrix in matrices:
            assert matrix.dtype == "float32"
            matrix = keras.ops.convert_to_numpy(matrix)
            np.testing.assert_allclose(
                matrix.T @ matrix, np.eye(len(matrix)), atol=1e-5
            )


def test_stays_finite_and_at_rest_without_a_gradient():
    variable = keras.Variable(np.ones((3, 2), "float32"))
    optimizer = SOAP(0.1, precondition_frequency=1)
    for _ in range(3):
        optimizer.apply([keras.ops.zeros((3, 2))], [variable])
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(variable), np.ones((3, 2))
    )


def test_does_not_depend_on_rounding_where_factors_lack_rank():
    # Gradients of rank 1 and 2, whose directions change with the step.
    slopes = given((4, 1), (4, 2))

    def trained(noise):
        def noisy(step):
            random = np.random.default_rng(step)
            return [
                g * (1 + noise * random.normal(size=g.shape))
                for g in slopes(step)
            ]

        optimizer = SOAP(0.01, precondition_frequency=5)
        variables = variables_at_start(given=slopes)
        return run(optimizer, 12, variables, given=noisy)

    assert_close(trained(0.0), trained(1e-7), rtol=1e-7, atol=1e-4)


def trained_model(**options):
    """A model with full-rank gradients, and one layer that is dead."""
    keras.utils.set_random_seed(0)
    dead = keras.layers.Dense(3, kernel_initializer="ones", activation="relu")
    inputs = keras.Input((4,))
    alive = keras.layers.Dense(4, activation="tanh")(inputs)
    hidden = keras.layers.Dense(4, use_bias=False)(dead(inputs))
    model = keras.Model(inputs, alive + hidden)
    dead.bias.assign([-100.0] * 3)
    optimizer = SOAP(0.01, precondition_frequency=2, weight_decay=0.1)
    optimizer.exclude_from_weight_decay([dead.kernel])
    model.compile(optimizer, "mse", **options)
    optimizer.build(model.trainable_variables)
    random = np.random.default_rng(0)
    x = random.normal(size=(48, 4)).astype("float32")
    y = x @ random.normal(size=(4, 4)).astype("float32")
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(dead.kernel), np.ones((4, 3))
    )
    return [keras.ops.convert_to_numpy(w) for w in model.weights]


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="looks for a C++ compiler"
)
def test_turns_its_bases_alike_in_a_compiled_step():
    eager = trained_model(run_eagerly=True)
    compiled = trained_model(jit_compile=True)
    for a, b in zip(eager, compiled, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"shampoo_beta": 1.0},
        {"epsilon": 0.0},
        {"precondition_frequency": 0},
        {"max_precondition_dim": 0},
        {"merge_dims": "yes"},
        {"precondition_1d": None},
        {"normalize_gradient": 1},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of SOAP must be"):
        SOAP(**arguments)
