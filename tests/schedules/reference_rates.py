"""The rates of a schedule, of ours and of torch's."""

import keras
import numpy as np
import torch

from keras_regopt.testing._backend import compiled


def rates(schedule, steps):
    """The rates of a schedule at some steps; compiled where that is faster."""
    if keras.backend.backend() == "jax":
        schedule = compiled(schedule)
    steps = np.array(steps, "int32")
    return np.array([float(schedule(step)) for step in steps])


def torch_rates(make, steps, rate=1.0):
    """The rates of `make(optimizer)`, at the first `steps` steps."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=rate)
    schedule = make(optimizer)
    values = []
    for step in range(steps):
        # No step after the last, which some of torch's schedules refuse.
        if step:
            optimizer.step()
            schedule.step()
        values.append(optimizer.param_groups[0]["lr"])
    return np.array(values)
