import numpy as np
import pytest
import torch
from reference_rates import rates, torch_rates

from keras_regopt.schedules import Cyclical


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize("step_size", [1, 5, 13])
def test_equals_torch_at_every_step(mode, step_size):
    gamma = 0.97 if mode == "exp_range" else 1.0
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.CyclicLR(
            o, 0.1, 0.6, step_size, mode=mode, gamma=gamma, cycle_momentum=False
        ),
        120,
    )
    ours = rates(Cyclical(0.1, 0.6, step_size, mode, gamma), range(120))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.any_backend
def test_keeps_its_shape_after_a_million_steps():
    schedule = Cyclical(0.0, 1.0, 10)
    ours = rates(schedule, range(10**6, 10**6 + 20))
    np.testing.assert_allclose(ours, rates(schedule, range(20)), atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"low": -1}, "low"),
        ({"high": 0.01}, "high"),
        ({"step_size": 0}, "step_size"),
        ({"mode": "square"}, "mode"),
        ({"gamma": 1.5}, "gamma"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"low": 0.1, "high": 0.5, "step_size": 3}
    with pytest.raises(ValueError, match=f"`{name}` of Cyclical must be"):
        Cyclical(**{**good, **arguments})
