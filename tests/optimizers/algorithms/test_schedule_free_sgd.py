import copy

import keras
import numpy as np
import optax
import pytest
import trajectories
from against_keras import last_everywhere
from schedule_free_runs import optax_run, run
from trajectories import assert_close, gradients, values_of, variables_at_start

from keras_regopt.optimizers import ParameterGroup, ScheduleFreeSGD


def transcribed(
    steps,
    rate_at,
    momentum=0.9,
    weight_decay=0.0,
    warmup_steps=0,
    r=0.0,
    weight_lr_power=2.0,
):
    """The paper's three sequences, with the weights of the authors' code."""
    x = [v.astype("float64") for v in gradients(1000)]
    y, z = list(x), list(x)
    weight_sum = lr_max = 0.0
    for k in range(steps):
        rate = rate_at(k) * (
            min((k + 1) / warmup_steps, 1) if warmup_steps else 1
        )
        lr_max = max(lr_max, rate)
        weight = (k + 1) ** r * lr_max**weight_lr_power
        weight_sum += weight
        c = weight / weight_sum if weight_sum else 0
        for i, gradient in enumerate(gradients(k)):
            z[i] = z[i] - rate * (gradient + weight_decay * y[i])
            x[i] = (1 - c) * x[i] + c * z[i]
            y[i] = momentum * x[i] + (1 - momentum) * z[i]
    return [*y, *x]


@pytest.mark.parametrize(
    "options",
    last_everywhere(
        {},
        {"momentum": 0.5, "weight_decay": 0.1},
        {"warmup_steps": 10, "r": 1.5},
        {"warmup_steps": 7, "weight_lr_power": 1.0, "weight_decay": 0.05},
        {"momentum": 0.0},
        {"momentum": 1.0},
    ),
)
def test_follows_the_paper_for_twenty_five_steps(options):
    ours = run(ScheduleFreeSGD(0.3, **options), 25)
    theirs = transcribed(25, lambda k: 0.3, **options)
    assert_close(ours, theirs, atol=3e-6)


@pytest.mark.any_backend
def test_follows_the_paper_under_a_schedule_that_begins_at_zero():
    schedule = keras.optimizers.schedules.PolynomialDecay(0.0, 5, 0.4, 2.0)
    ours = run(ScheduleFreeSGD(schedule, weight_decay=0.1), 20)
    theirs = transcribed(
        20,
        lambda k: 0.4 - 0.4 * (1 - min(k, 5) / 5) ** 2,
        weight_decay=0.1,
    )
    assert_close(ours, theirs, atol=3e-6)


def test_follows_optax():
    theirs = optax_run(optax.contrib.schedule_free_sgd(0.3, b1=0.8), 25)
    ours = run(ScheduleFreeSGD(0.3, momentum=0.8), 25)
    assert_close(ours, theirs, atol=3e-6)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    half = run(ScheduleFreeSGD(0.1), 20, "bfloat16")
    # Eight bits of mantissa, of numbers up to 2.
    assert_close(half, run(ScheduleFreeSGD(0.1), 20), atol=0.04)


def test_switches_to_and_fro_without_a_change():
    optimizer = ScheduleFreeSGD(0.3)
    variables = variables_at_start()
    y = trajectories.run(optimizer, 5, variables)
    with optimizer.evaluation():
        x = values_of(variables)
        optimizer.switch_to_evaluation()
        assert_close(values_of(variables), x, rtol=0, atol=0)
    assert not np.allclose(x[2], y[2])
    assert_close(values_of(variables), y, rtol=1e-6, atol=1e-7)
    optimizer.switch_to_training()
    assert_close(values_of(variables), y, rtol=1e-6, atol=1e-7)


def test_leaves_y_behind_after_a_step_from_x():
    # A loop that forgot to switch back takes one gradient at x.
    optimizer = ScheduleFreeSGD(0.3, momentum=0.75)
    variable = keras.Variable([2.0])
    values = []
    for slope in (1.0, 1.0, 1.0):
        optimizer.switch_to_evaluation()
        optimizer.apply([keras.ops.array([slope])], [variable])
        values.append(variable.numpy().item())
    z = np.array([1.7, 1.4, 1.1])
    x = np.array([1.7, 1.55, 1.4])
    np.testing.assert_allclose(values, 0.75 * x + 0.25 * z, rtol=1e-6)


@pytest.mark.any_backend
def test_a_deep_copy_goes_on_where_the_original_stands():
    optimizer = ScheduleFreeSGD(0.3)
    variables = variables_at_start()
    values = trajectories.run(optimizer, 4, variables)
    copied = copy.deepcopy(optimizer)
    expected = trajectories.run(optimizer, 1, variables)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    ours = trajectories.run(copied, 1, variables)
    assert_close(ours, expected, rtol=0, atol=0)


def test_holds_all_sequences_to_a_constraint():
    variable = keras.Variable([0.3, 0.6])
    variable.constraint = keras.constraints.NonNeg()
    optimizer = ScheduleFreeSGD(0.2)
    for _ in range(6):
        optimizer.apply([keras.ops.array([1.0, -1.0])], [variable])
        assert np.all(variable.numpy() >= 0)
        # z of the first falls to 0 in two steps and stays there.
    optimizer.switch_to_evaluation()
    np.testing.assert_allclose(
        variable.numpy(), [(0.1 + 5 * 0.0) / 6, 0.6 + 0.2 * 3.5], atol=1e-6
    )


def test_obeys_the_groups_of_parameters():
    groups = [ParameterGroup("frozen", learning_rate=0.0)]
    optimizer = ScheduleFreeSGD(0.2, weight_decay=0.1, groups=groups)
    variables = [keras.Variable([1.0], name=n) for n in ("frozen", "free")]
    for _ in range(3):
        optimizer.apply([keras.ops.array([1.0])] * 2, variables)
    assert variables[0].numpy().item() == 1
    assert variables[1].numpy().item() < 0.9


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"momentum": 1.1},
        {"warmup_steps": -1},
        {"warmup_steps": 0.5},
        {"r": -1.0},
        {"weight_lr_power": -1.0},
        {"use_ema": True},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of ScheduleFreeSGD must"):
        ScheduleFreeSGD(**arguments)
