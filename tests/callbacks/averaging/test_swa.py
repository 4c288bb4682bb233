import pytest
import torch
from averaged_fit import (
    assert_close,
    fit,
    mean,
    small_model,
    trajectory,
)

from keras_regopt.callbacks import SWA, WeightAveraging


def averaged(average, epochs):
    model = small_model()
    fit(model, WeightAveraging(average), epochs=epochs)
    return model.get_weights()


def test_equals_torch_over_many_steps():
    seen = trajectory(11)
    module = torch.nn.Linear(2, 1)
    average = torch.optim.swa_utils.AveragedModel(module)
    for kernel, bias in seen[1:]:
        with torch.no_grad():
            module.weight.copy_(torch.tensor(kernel.T))
            module.bias.copy_(torch.tensor(bias))
        average.update_parameters(module)
    expected = [
        average.module.weight.detach().cpu().numpy().T,
        average.module.bias.detach().cpu().numpy(),
    ]
    assert_close(averaged(SWA(unit="step"), 11), expected)


@pytest.mark.any_backend
def test_averages_the_ends_of_the_epochs_after_the_start():
    seen = trajectory(6)
    assert_close(averaged(SWA(start=3), 6), mean(seen[8:13:2]))
    assert_close(averaged(SWA(every=2, start=2), 6), mean(seen[8:13:4]))


@pytest.mark.any_backend
def test_averages_every_few_steps_after_the_start():
    seen = trajectory(6)
    expected = mean([seen[4], seen[7], seen[10]])
    assert_close(averaged(SWA(every=3, unit="step", start=1), 6), expected)
