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
)

from keras_regopt.optimizers import AdEMAMix


def paper_run(steps, rate, betas, alpha, alpha_warmup, beta_3_warmup):
    """The authors' algorithm and schedulers, in float64."""
    beta_1, beta_2, beta_3 = betas

    def span(beta):
        return np.log(0.5) / np.log(beta) - 1

    variables = [v.astype("float64") for v in gradients(1000)]
    fast, slow, squares = (
        [np.zeros_like(v) for v in variables] for _ in range(3)
    )
    for step in range(1, steps + 1):
        share, decay = alpha, beta_3
        if step < alpha_warmup:
            share = alpha * step / alpha_warmup
        if step < beta_3_warmup:
            part = step / beta_3_warmup
            length = (1 - part) * span(beta_1) + part * span(beta_3)
            decay = 0.5 ** (1 / (length + 1))
        for i, g in enumerate(gradients(step - 1)):
            fast[i] = beta_1 * fast[i] + (1 - beta_1) * g
            slow[i] = decay * slow[i] + (1 - decay) * g
            squares[i] = beta_2 * squares[i] + (1 - beta_2) * g**2.0
            divisor = np.sqrt(squares[i] / (1 - beta_2**step)) + 1e-8
            mixture = fast[i] / (1 - beta_1**step) + share * slow[i]
            variables[i] = variables[i] - rate * mixture / divisor
    return variables


@pytest.mark.parametrize("warmup", last_everywhere(None, 10, 100))
@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.5))
def test_follows_pytorch_optimizer_for_thirty_steps(warmup, weight_decay):
    ours = run(
        AdEMAMix(
            0.01,
            alpha_warmup=warmup,
            beta_3_warmup=warmup,
            epsilon=1e-8,
            weight_decay=weight_decay,
        ),
        30,
    )
    theirs = torch_run(
        pytorch_optimizer.AdEMAMix,
        0.01,
        30,
        weight_decouple=True,
        t_alpha_beta3=warmup,
        weight_decay=weight_decay,
    )
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_follows_pytorch_optimizer_under_a_schedule():
    schedule, rate_at = falling()
    ours = run(AdEMAMix(schedule, beta_3=0.99, epsilon=1e-8), 20)
    theirs = torch_run(
        pytorch_optimizer.AdEMAMix, rate_at, 20, betas=(0.9, 0.999, 0.99)
    )
    assert_close(ours, theirs)


def test_follows_the_authors_with_two_warm_ups_for_thirty_steps():
    betas = (0.8, 0.99, 0.999)
    ours = run(
        AdEMAMix(
            0.01,
            *betas,
            alpha=8,
            alpha_warmup=12,
            beta_3_warmup=20,
            epsilon=1e-8,
        ),
        30,
    )
    theirs = paper_run(30, 0.01, betas, 8, 12, 20)
    assert_close(ours, theirs, atol=2e-6)


@pytest.mark.any_backend
def test_takes_every_beta_as_zero_or_close_to_one():
    for beta_1, beta_2, beta_3 in ((0.0, 0.0, 1e-3), (0.999, 0.9999, 0.99999)):
        optimizer = AdEMAMix(
            0.01, beta_1, beta_2, beta_3, alpha_warmup=1, beta_3_warmup=3
        )
        for values in run(optimizer, 4):
            assert np.all(np.isfinite(values))


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: AdEMAMix(0.1))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"beta_3": 0.0},
        {"alpha": -1.0},
        {"alpha_warmup": 0},
        {"beta_3_warmup": 2.5},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of AdEMAMix must be"):
        AdEMAMix(**arguments)
