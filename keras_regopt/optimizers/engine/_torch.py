"""The step on torch: lists of tensors in few calls."""

import keras


def is_compiling():
    """Whether `torch.compile` traces the step.

    It fuses a formula by itself, and has no numbers to hand to fused ones.
    """
    import torch

    return torch.compiler.is_compiling()


def uncompiled(function):
    """A function that `torch.compile` calls as it is, without looking in."""
    if keras.backend.backend() != "torch":
        return function

    import torch

    return torch.compiler.disable(function)


def update(optimizer, gradients, variables, learning_rate):
    """Makes the step of all variables.

    Args:
        optimizer: The optimizer.
        gradients: The gradients, complete.
        variables: The variables that they belong to.
        learning_rate: The learning rate.
    """
    import torch

    with torch.no_grad():
        values = optimizer.step_values(gradients, variables, learning_rate)
        plan = optimizer.__dict__.get("_torch_plan")
        if plan is None or not plan.fits(variables):
            plan = _Plan(optimizer, variables)
            optimizer._torch_plan = plan
        rate = getattr(learning_rate, "value", learning_rate)
        for alike in plan.lists:
            own = gradients
            if len(plan.lists) > 1:
                own = [gradients[i] for i in alike.positions]
            if alike.dtype in (torch.float32, torch.float64):
                _step_of_list(optimizer, alike, own, rate, values)
                continue
            for gradient, variable in zip(own, alike.variables, strict=True):
                optimizer._update(variable, gradient, rate, values)


class _Plan:
    """Which variables are treated alike; kept, since it takes long to find.

    Args:
        optimizer: The optimizer.
        variables: The variables of a step.
    """

    def __init__(self, optimizer, variables):
        self._ids = list(map(id, variables))
        kinds = {}
        for position, variable in enumerate(variables):
            index = optimizer._get_variable_index(variable)
            kind = (
                variable.value.dtype,
                variable.value.device,
                *optimizer.kind_of(index, variable),
            )
            kinds.setdefault(kind, []).append((position, variable, index))
        self.lists = [
            _Alike(optimizer, kind, members) for kind, members in kinds.items()
        ]

    def fits(self, variables):
        return list(map(id, variables)) == self._ids


class _Alike:
    """Variables of one dtype, device, rate, decay and penalty."""

    def __init__(self, optimizer, kind, members):
        self.dtype, self.device, self.rate_factor, *_ = kind
        self.positions, self.variables, indices = zip(*members, strict=True)
        self.penalized = optimizer._penalized[indices[0]]
        states = [optimizer._slots.of(index) for index in indices]
        self.slots = list(zip(*states, strict=True))


def _step_of_list(optimizer, alike, gradients, rate, values):
    import torch

    variables = [v.value for v in alike.variables]
    slots = [[s.value for s in column] for column in alike.slots]
    if any(g.dtype != alike.dtype for g in gradients):
        gradients = [g.to(alike.dtype) for g in gradients]
    if alike.device.type == "cpu":
        # A number spares the many small operations on a scalar tensor.
        rate = float(rate)
    rate = rate * alike.rate_factor
    decay = optimizer.decay_of(alike.variables[0])
    l2 = optimizer.l2 if alike.penalized else 0.0
    # The penalty is that of the weights before they decay.
    if l2 and (decay or not optimizer.torch_fuses_l2(alike.device)):
        gradients = torch._foreach_add(gradients, variables, alpha=2 * l2)
        l2 = 0.0
    if alike.penalized and optimizer.l1:
        signs = torch._foreach_sign(variables)
        gradients = torch._foreach_add(gradients, signs, alpha=optimizer.l1)
    if decay:
        torch._foreach_mul_(variables, 1 - rate * decay)
    fused = {"l2": l2} if l2 else {}
    optimizer.torch_step(variables, gradients, slots, rate, values, **fused)
