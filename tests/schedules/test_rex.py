import numpy as np
import pytest
import torch
from pytorch_optimizer.lr_scheduler.rex import REXScheduler
from reference_rates import rates

from keras_regopt.schedules import REX


@pytest.mark.parametrize("end", [0.0, 0.05])
def test_equals_pytorch_optimizer_at_every_step_and_beyond(end):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = REXScheduler(optimizer, 40, max_lr=0.5, min_lr=end)
    # Its first step is made by its constructor, unlike in torch's own.
    schedule.step_t = 0
    theirs = [schedule.step() for _ in range(50)]
    ours = rates(REX(0.5, 40, end), range(50))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"total_steps": 0}, "total_steps"),
        ({"end_learning_rate": -1}, "end_learning_rate"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 1, "total_steps": 3}
    with pytest.raises(ValueError, match=f"`{name}` of REX must be"):
        REX(**{**good, **arguments})
