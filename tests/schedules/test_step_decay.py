import numpy as np
import pytest
import torch
from reference_rates import rates, torch_rates

from keras_regopt.schedules import StepDecay


@pytest.mark.parametrize("decay_steps", [1, 3, 10])
def test_equals_torch_at_every_step(decay_steps):
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.StepLR(o, decay_steps, gamma=0.7),
        60,
    )
    ours = rates(StepDecay(1.0, decay_steps, 0.7), range(60))
    np.testing.assert_allclose(ours, theirs, rtol=2e-6)


@pytest.mark.any_backend
def test_counts_epochs_where_their_length_is_given():
    ours = StepDecay(1.0, 2, 0.5, steps_per_epoch=5)
    expected = [0.5 ** (step // 5 // 2) for step in range(60)]
    np.testing.assert_allclose(rates(ours, range(60)), expected, rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"decay_steps": 0}, "decay_steps"),
        ({"decay_rate": 0}, "decay_rate"),
        ({"decay_rate": 1.5}, "decay_rate"),
        ({"steps_per_epoch": 1.5}, "steps_per_epoch"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 1, "decay_steps": 3, "decay_rate": 0.5}
    with pytest.raises(ValueError, match=f"`{name}` of StepDecay must be"):
        StepDecay(**{**good, **arguments})
