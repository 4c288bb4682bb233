import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_rates import rates, torch_rates

from keras_regopt.schedules import OneCycle


def torch_one_cycle(peak, total_steps, **options):
    return torch_rates(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o,
            max_lr=peak,
            total_steps=total_steps,
            **options,
        ),
        total_steps,
    )


@pytest.mark.any_case
@pytest.mark.parametrize("total_steps", [7, 100, 333])
@pytest.mark.parametrize("warmup_fraction", [0.2, 0.3, 0.75])
def test_equals_torch_at_every_step(total_steps, warmup_fraction):
    ours = OneCycle(0.5, total_steps, warmup_fraction)
    theirs = torch_one_cycle(0.5, total_steps, pct_start=warmup_fraction)
    np.testing.assert_allclose(
        rates(ours, range(total_steps)), theirs, rtol=1e-5, atol=5e-8
    )


@pytest.mark.any_backend
def test_takes_its_divisors_like_torch():
    ours = OneCycle(1.0, 50, start_divisor=10, end_divisor=100)
    theirs = torch_one_cycle(1.0, 50, div_factor=10, final_div_factor=100)
    np.testing.assert_allclose(rates(ours, range(50)), theirs, rtol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal", ["cosine", "linear"])
def test_takes_its_phases_like_torch(three_phase, anneal):
    ours = OneCycle(1.0, 60, 0.4, three_phase=three_phase, anneal=anneal)
    theirs = torch_one_cycle(
        1.0,
        60,
        pct_start=0.4,
        three_phase=three_phase,
        anneal_strategy={"cosine": "cos", "linear": "linear"}[anneal],
    )
    np.testing.assert_allclose(
        rates(ours, range(60)), theirs, rtol=1e-5, atol=1e-7
    )


@pytest.mark.any_backend
def test_stays_at_its_last_rate_beyond_the_end():
    schedule = OneCycle(1.0, 50, end_divisor=10)
    values = rates(schedule, [49, 50, 1000])
    np.testing.assert_allclose(values, 1 / 250, rtol=1e-5)


@pytest.mark.any_backend
@settings(max_examples=25, deadline=None)
@given(
    peak=st.floats(1e-6, 100),
    total_steps=st.integers(10, 5000),
    warmup_fraction=st.floats(0.15, 0.9),
)
def test_rises_to_its_peak_and_falls_without_a_jump(
    peak, total_steps, warmup_fraction
):
    schedule = OneCycle(peak, total_steps, warmup_fraction)
    turn = int(warmup_fraction * total_steps - 1)
    sampled = np.unique(np.linspace(0, total_steps - 1, 12).astype(int))
    values = rates(schedule, sampled)
    assert np.all(values >= 0)
    assert np.all(values <= peak * (1 + 1e-5))
    assert np.all(np.diff(values[sampled <= turn]) >= -1e-6 * peak)
    assert np.all(np.diff(values[sampled > turn]) <= 1e-6 * peak)


@pytest.mark.any_backend
def test_refuses_a_way_up_without_a_step():
    with pytest.raises(ValueError, match="`warmup_fraction` of OneCycle"):
        OneCycle(1.0, 3, warmup_fraction=0.3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"peak": 0.0}, "peak"),
        ({"total_steps": 1}, "total_steps"),
        ({"total_steps": 10.5}, "total_steps"),
        ({"warmup_fraction": 1.0}, "warmup_fraction"),
        ({"start_divisor": 0.5}, "start_divisor"),
        ({"end_divisor": 0}, "end_divisor"),
        ({"three_phase": 1}, "three_phase"),
        ({"three_phase": True, "warmup_fraction": 0.5}, "warmup_fraction"),
        ({"anneal": "cos"}, "anneal"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of OneCycle must be"):
        OneCycle(**{"peak": 1.0, "total_steps": 10, **arguments})
