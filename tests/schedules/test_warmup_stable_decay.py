import numpy as np
import pytest
from pytorch_optimizer.lr_scheduler.wsd import get_wsd_schedule
from reference_rates import rates, torch_rates

from keras_regopt.schedules import WarmupStableDecay


@pytest.mark.parametrize("decay", ["linear", "cosine", "1-sqrt"])
@pytest.mark.parametrize("warmup_steps", [0, 10])
def test_equals_pytorch_optimizer_at_every_step_and_beyond(decay, warmup_steps):
    theirs = torch_rates(
        lambda o: get_wsd_schedule(
            o, warmup_steps, 30 - warmup_steps, 20, cooldown_type=decay
        ),
        60,
    )
    ours = WarmupStableDecay(1.0, 50, warmup_steps, 20, decay)
    np.testing.assert_allclose(rates(ours, range(60)), theirs, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("decay", ["linear", "cosine", "1-sqrt"])
def test_a_lowest_rate_scales_the_cooldown(decay):
    whole = rates(WarmupStableDecay(1.0, 50, 5, 20, decay), range(60))
    ours = rates(WarmupStableDecay(1.0, 50, 5, 20, decay, 0.1), range(60))
    np.testing.assert_allclose(ours[:30], whole[:30])
    np.testing.assert_allclose(ours[30:], 0.1 + 0.9 * whole[30:], atol=1e-6)


@pytest.mark.any_backend
def test_an_extended_schedule_is_the_same_until_the_earlier_cooldown():
    short = WarmupStableDecay(0.3, 50, 10, 20, "1-sqrt")
    long = short.extended(90)
    np.testing.assert_array_equal(
        rates(long, range(31)), rates(short, range(31))
    )
    np.testing.assert_allclose(
        rates(long, range(70, 95)), rates(short, range(30, 55)), rtol=1e-6
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"peak": -1}, "peak"),
        ({"total_steps": 0}, "total_steps"),
        ({"total_steps": 29}, "total_steps"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"decay_steps": 2.5}, "decay_steps"),
        ({"decay": "square"}, "decay"),
        ({"alpha": 2}, "alpha"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"peak": 1, "total_steps": 50, "warmup_steps": 10, "decay_steps": 20}
    with pytest.raises(ValueError, match=f"`{name}` of WarmupStableDecay must"):
        WarmupStableDecay(**{**good, **arguments})


@pytest.mark.any_backend
def test_an_extension_that_cuts_a_phase_off_is_refused():
    with pytest.raises(ValueError, match="`total_steps` of WarmupStableDecay"):
        WarmupStableDecay(1.0, 50, 10, 20).extended(20)
