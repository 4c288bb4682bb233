"""What torch does in one call, where that is faster than the formula.

Each function makes the step of a list of tensors, in place, on the CPU. A class
names its own as `torch_step`.
"""


def takes(optimizer, dtype, device):
    """Whether a call of torch makes the step of tensors of a kind.

    Args:
        optimizer: The optimizer.
        dtype: A dtype of torch.
        device: A device of torch.
    """
    import torch

    return (
        optimizer.torch_step is not None
        and dtype in (torch.float32, torch.float64)
        and device.type == "cpu"
    )


def step(optimizer, variables, gradients, slots, step):
    """Makes a step with penalties and decay.

    Args:
        optimizer: The optimizer.
        variables: Tensors, treated alike.
        gradients: Their gradients.
        slots: A list of lists, in the order of `slot_names`.
        step: A `Step` whose scalars are Python numbers.
    """
    from keras_regopt.optimizers.engine import _torch_lists

    penalized = optimizer.penalized[step.index]
    l2 = optimizer.l2 if penalized else 0.0
    # The penalty is that of the weights before they decay.
    if l2 and step.decay:
        gradients = _torch_lists.added(gradients, variables, alpha=2 * l2)
        l2 = 0.0
    if penalized and optimizer.l1:
        signs = _torch_lists.signs(variables)
        gradients = _torch_lists.added(gradients, signs, alpha=optimizer.l1)
    if step.decay:
        _torch_lists.multiply(variables, 1 - step.rate * step.decay)
    optimizer.torch_step(variables, gradients, slots, step, l2)


def adam(optimizer, variables, gradients, slots, step, l2):
    """The step of Adam.

    Torch corrects the bias before epsilon is added, Keras after, and torch in
    double precision.
    """
    import torch

    momentums, velocities, *largest = slots
    count = int(optimizer.iterations) + 1
    root = (1 - optimizer.beta_2**count) ** 0.5
    rate = step.rate * step.values * (1 - optimizer.beta_1**count) / root
    torch._fused_adam_(
        variables,
        gradients,
        momentums,
        velocities,
        largest[0] if largest else [],
        [torch.tensor(float(count))] * len(variables),
        lr=rate,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        weight_decay=2 * l2,
        eps=optimizer.epsilon / root,
        amsgrad=optimizer.amsgrad,
        maximize=False,
    )


def sgd(optimizer, variables, gradients, slots, step, l2):
    """The step of SGD."""
    import torch

    from keras_regopt.optimizers.engine import _torch_lists

    plain = not optimizer.momentum
    if l2 and (plain or optimizer.nesterov):
        gradients = _torch_lists.added(gradients, variables, alpha=2 * l2)
    if plain:
        _torch_lists.add(variables, gradients, alpha=-step.rate)
        return
    (momentums,) = slots
    if not optimizer.nesterov:
        # Keras keeps the rate in the momentum, torch outside of it: hence a
        # rate of -1, and a dampening that puts in the negative rate.
        torch._fused_sgd_(
            variables,
            gradients,
            momentums,
            weight_decay=2 * l2,
            momentum=optimizer.momentum,
            lr=-1.0,
            dampening=1.0 + step.rate,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )
        return
    _torch_lists.multiply(momentums, optimizer.momentum)
    _torch_lists.add(momentums, gradients, alpha=-step.rate)
    _torch_lists.add(variables, gradients, alpha=-step.rate)
    _torch_lists.add(variables, momentums, alpha=optimizer.momentum)
