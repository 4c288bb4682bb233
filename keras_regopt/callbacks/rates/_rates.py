"""Reading and cutting the learning rates inside an optimizer."""

import keras
from keras import ops

from keras_regopt._keras import count_of_calls, held_rate
from keras_regopt._optimizer_tree import (
    has_members,
    inner_of,
    members_of,
    walk,
)
from keras_regopt._validate import fail
from keras_regopt.callbacks.loggers._stable_names import stable_names
from keras_regopt.schedules.scale import Scale


def rate_holders(optimizer, name=""):
    """The optimizers that hold a learning rate of their own.

    Args:
        optimizer: Any Keras optimizer. Wrappers and `MultiOptimizer` are
            taken apart.
        name: The name that goes with the holders.

    Returns:
        A list of pairs of a name and an optimizer. The name is empty, or that
        of the member of a `MultiOptimizer`.
    """
    if has_members(optimizer):
        return [
            pair
            for member in members_of(optimizer)
            for pair in rate_holders(member, member.name)
        ]
    inner = inner_of(optimizer)
    return [(name, optimizer)] if inner is None else rate_holders(inner, name)


def used_rate(holder, schedule=None):
    """The rate of the last step that an optimizer made.

    Args:
        holder: An optimizer that holds a learning rate of its own.
        schedule: The schedule that it followed then, if it may have another one
            by now.

    Returns:
        A Python float. Before the first step, the rate of that step.
    """
    if schedule is None:
        if not has_schedule(holder):
            return next_rate(holder)
        schedule = held_rate(holder)
    # With accumulation, only the last micro-step of a round moves weights.
    rounds = holder.gradient_accumulation_steps or 1
    steps = int(ops.convert_to_numpy(count_of_calls(holder)))
    last = max(steps // rounds * rounds - 1, 0)
    step = ops.convert_to_tensor(last, dtype=count_of_calls(holder).dtype)
    return float(ops.convert_to_numpy(schedule(step)))


def next_rate(holder):
    """The rate of the step that an optimizer makes next, a Python float."""
    return float(ops.convert_to_numpy(holder.learning_rate))


def rates_by_key(optimizer):
    """The optimizers that hold a rate, by the names of their rates in logs.

    Args:
        optimizer: Any Keras optimizer.

    Returns:
        A dict of `"learning_rate"`, or `"learning_rate_<name>"` for each
        member of a `MultiOptimizer`, and the optimizers.
    """
    members = [m for each in walk(optimizer) for m in members_of(each)]
    stable = stable_names(members)
    holders = {
        stable.get(n, n): holder for n, holder in rate_holders(optimizer)
    }
    return {
        f"learning_rate_{name}" if name else "learning_rate": holder
        for name, holder in holders.items()
    }


def has_schedule(holder):
    """Whether the rate follows a schedule, not a variable."""
    return isinstance(
        held_rate(holder),
        keras.optimizers.schedules.LearningRateSchedule,
    )


def cut_rate(holder, factor, low):
    """Multiplies the rate from the next step on.

    A schedule is put into a `Scale`; a train function that was traced before
    does not see it and has to be made again.

    Args:
        holder: An optimizer that holds a learning rate of its own.
        factor: What the rate is multiplied by, in (0, 1).
        low: The rate that the result must not fall below.

    Returns:
        The new rate as a Python float, or `None` if nothing was left to cut.

    Raises:
        ValueError: If the learning rate is a function, which has nothing to
            assign to.
    """
    old = next_rate(holder)
    # Rates are float32: one that was cut to the bound may lie next to it.
    if old <= low * (1 + 1e-6):
        return None
    if has_schedule(holder):
        factor = max(factor, low / old)
        holder.learning_rate = Scale(held_rate(holder), factor)
        return factor * old
    if not isinstance(held_rate(holder), keras.Variable):
        fail(
            holder,
            "learning_rate",
            "a number or a LearningRateSchedule, so that it can be cut",
            held_rate(holder),
        )
    holder.learning_rate = max(factor * old, low)
    return max(factor * old, low)


def schedule_factors(optimizer):
    """What the schedules inside an optimizer are multiplied by.

    Args:
        optimizer: Any Keras optimizer.

    Returns:
        A list with a number for every holder of a rate, in the order of
        `rate_holders`; `None` for one without a schedule.
    """
    return [
        _scaled(holder)[1] if has_schedule(holder) else None
        for _, holder in rate_holders(optimizer)
    ]


def put_factors(optimizer, factors):
    """Multiplies the schedules inside an optimizer by given numbers.

    What they are multiplied by already is replaced, so it may be done twice. A
    holder without a schedule has its rate among its variables and stays.

    Args:
        optimizer: Any Keras optimizer.
        factors: What `schedule_factors` returned.

    Returns:
        Whether anything was changed, so that a train function has to be made
        again.

    Raises:
        ValueError: If the optimizer holds another number of rates.
    """
    holders = [holder for _, holder in rate_holders(optimizer)]
    if len(holders) != len(factors):
        raise ValueError(
            "The state of the callback was taken with an optimizer of "
            f"{len(factors)} learning rates. Received: {optimizer.name} with "
            f"{len(holders)}"
        )
    changed = False
    for holder, factor in zip(holders, factors, strict=True):
        if factor is None or not has_schedule(holder):
            continue
        schedule, present = _scaled(holder)
        if factor != present:
            holder.learning_rate = Scale(schedule, factor)
            changed = True
    return changed


def _scaled(holder):
    """The schedule of a holder without its factor, and the factor."""
    schedule = held_rate(holder)
    if isinstance(schedule, Scale):
        return schedule.schedule, schedule.factor
    return schedule, 1.0
