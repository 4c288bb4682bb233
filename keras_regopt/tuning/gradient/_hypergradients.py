"""Gradients of the validation loss by the hyperparameters."""

from keras import ops

from keras_regopt._autodiff import gradients_within

# Of the Neumann series: its terms, and the step that each stands for.
_TERMS = 5
_STEP = 0.05


def through_one_step(steps, state, positions, train, validation, factor):
    """T1-T2: through the next step of the optimizer alone.

    Args:
        steps: A `Steps`.
        state: The `State` before the step.
        positions: The positions of the hyperparameters, a vector.
        train: The inputs and targets of the step.
        validation: Inputs and targets that the step is judged by.
        factor: What the learning rate is multiplied by.

    Returns:
        The gradient by the positions, a vector.
    """

    def loss_after(inputs):
        values = steps.values(inputs[0])
        gradients, _, others = steps.gradients(
            state.weights, state.others, values, *train
        )
        weights, _ = steps.updated(state, gradients, values, factor, True)
        loss = steps.validation_loss(weights, others, values, *validation)
        return loss, ()

    return gradients_within(loss_after, [positions])[0][0]


def implicit(steps, state, positions, train, validation, factor):
    """By the implicit function theorem, with a Neumann series.

    The weights count as the minimum of the training loss, of whose Hessian the
    inverse is a sum of powers. The learning rate, which such a minimum does
    not depend on, has its gradient through one step. See `through_one_step`.
    """
    values = steps.values(positions)

    def validation_loss(weights):
        loss = steps.validation_loss(weights, state.others, values, *validation)
        return loss, ()

    def along(vector):
        """The slope of the training loss along a vector, differentiable."""

        def slope(inputs):
            *weights, at = inputs
            gradients, _, _ = steps.gradients(
                weights, state.others, steps.values(at), *train
            )
            return inner(gradients, vector), ()

        return gradients_within(slope, [*state.weights, positions])[0]

    term = total = gradients_within(validation_loss, state.weights)[0]
    for _ in range(_TERMS):
        products = along([_constant(x) for x in term])[:-1]
        term = [a - _STEP * b for a, b in zip(term, products, strict=True)]
        total = [a + b for a, b in zip(total, term, strict=True)]
    mixed = -_STEP * along([_constant(x) for x in total])[-1]
    of_step = through_one_step(
        steps, state, positions, train, validation, factor
    )
    rates = [float(each.is_rate) for each in steps.tuned]
    rates = ops.cast(rates, of_step.dtype)
    return rates * of_step + (1 - rates) * mixed


def carried(steps, state, tangents, positions, train, factor):
    """Forward mode: how weights and slots depend on the hyperparameters.

    Args:
        steps: A `Steps`.
        state: The `State` before a step.
        tangents: For each hyperparameter, the derivatives of weights and slots
            in one list.
        positions: The positions of the hyperparameters, a vector.
        train: The inputs and targets of the step.
        factor: What the learning rate is multiplied by.

    Returns:
        The derivatives after the step, likewise.
    """
    count = len(state.weights)
    sizes = [len(slots) for slots in state.slots]

    def after(inputs):
        *values, at = inputs
        rest = iter(values[count:])
        slots = [[next(rest) for _ in range(size)] for size in sizes]
        present = state._replace(weights=list(values[:count]), slots=slots)
        numbers = steps.values(at)
        gradients, _, _ = steps.gradients(
            present.weights, present.others, numbers, *train
        )
        weights, slots = steps.updated(
            present, gradients, numbers, factor, True
        )
        return [*weights, *(s for each in slots for s in each)]

    flat = [*state.weights, *(s for each in state.slots for s in each)]
    result = []
    for index, tangent in enumerate(tangents):
        direction = ops.one_hot(index, len(tangents), dtype=positions.dtype)
        result.append(
            _pushed_forward(after, [*flat, positions], [*tangent, direction])
        )
    return result


def of_carried(steps, state, tangents, positions, validation):
    """The gradient that the carried derivatives give, a vector."""
    values = steps.values(positions)

    def loss(weights):
        found = steps.validation_loss(
            weights, state.others, values, *validation
        )
        return found, ()

    slopes = gradients_within(loss, state.weights)[0]
    return ops.stack(
        [inner(slopes, tangent[: len(slopes)]) for tangent in tangents]
    )


def inner(first, second):
    """The inner product of two lists of tensors."""
    return sum(ops.sum(a * b) for a, b in zip(first, second, strict=True))


def _pushed_forward(function, inputs, tangents):
    """The derivative of a function along tangents, by two passes back."""

    def slope(weights_of_outputs):
        def weighted(inputs):
            return inner(function(inputs), weights_of_outputs), ()

        return inner(gradients_within(weighted, inputs)[0], tangents), ()

    # The result does not depend on them, since the slope is linear in them.
    anything = [ops.zeros_like(x) for x in inputs[:-1]]
    return gradients_within(slope, anything)[0]


def _constant(x):
    return ops.stop_gradient(x)
