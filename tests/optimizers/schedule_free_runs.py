"""Runs of schedule-free optimizers: the points y, then the averages x."""

import optax
import trajectories
from trajectories import values_of, variables_at_start


def run(optimizer, steps, dtype="float32"):
    variables = variables_at_start(dtype)
    y = trajectories.run(optimizer, steps, variables)
    optimizer.switch_to_evaluation()
    return [*y, *values_of(variables)]


def optax_run(optimizer, steps):
    def points_and_averages(state, y):
        return [*y, *optax.contrib.schedule_free_eval_params(state, y)]

    return trajectories.optax_run(optimizer, steps, result=points_and_averages)
