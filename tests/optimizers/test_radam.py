import keras
import numpy as np
import pytest
import torch

from keras_regopt.optimizers import RAdam

SHAPES = [(), (3,), (4, 5), (2, 3, 4)]


def gradients(step, shapes=SHAPES):
    random = np.random.default_rng(step)
    return [random.normal(size=s).astype("float32") for s in shapes]


def run(optimizer, steps, dtype="float32"):
    variables = [
        keras.Variable(value, dtype=dtype) for value in gradients(1000)
    ]
    for step in range(steps):
        optimizer.apply(
            [keras.ops.cast(g, dtype) for g in gradients(step)], variables
        )
    return [
        keras.ops.convert_to_numpy(keras.ops.cast(v, "float32"))
        for v in variables
    ]


def torch_run(steps, rate_at, **options):
    variables = [torch.nn.Parameter(torch.tensor(v)) for v in gradients(1000)]
    optimizer = torch.optim.RAdam(variables, **options)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        for variable, gradient in zip(variables, gradients(step), strict=True):
            variable.grad = torch.tensor(gradient)
        optimizer.step()
    return [v.detach().numpy() for v in variables]


@pytest.mark.parametrize("beta_2", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_follows_torch_for_thirty_steps(beta_2, weight_decay):
    ours = run(
        RAdam(0.01, beta_2=beta_2, epsilon=1e-8, weight_decay=weight_decay), 30
    )
    theirs = torch_run(
        30,
        lambda step: 0.01,
        betas=(0.9, beta_2),
        weight_decay=weight_decay,
        decoupled_weight_decay=True,
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_follows_torch_under_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    ours = run(RAdam(schedule, epsilon=1e-8), 20)
    theirs = torch_run(20, lambda step: 0.1 * 0.5 ** (step / 5))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_stays_near_single_precision_with_bfloat16_variables():
    half = run(RAdam(0.01), 20, "bfloat16")
    single = run(RAdam(0.01), 20)
    for a, b in zip(half, single, strict=True):
        # Eight bits of mantissa, of numbers of the order of 1.
        np.testing.assert_allclose(a, b, atol=0.05)


def test_makes_plain_momentum_steps_while_the_variance_is_intractable():
    # With beta_2 = 0.999 the approximated length exceeds 5 at step 6.
    variable = keras.Variable([1.0])
    optimizer = RAdam(0.1, beta_1=0.0)
    values = [1.0]
    for _ in range(6):
        optimizer.apply([keras.ops.convert_to_tensor([0.25])], [variable])
        values.append(variable.numpy().item())
    steps = -np.diff(values)
    np.testing.assert_allclose(steps[:5], 0.025, rtol=1e-4)
    assert steps[5] < 0.01


@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"learning_rate": "fast"},
        {"beta_1": 1.0},
        {"beta_2": 0.0},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of RAdam must be"):
        RAdam(**arguments)
