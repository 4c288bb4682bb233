"""The perturbation of sharpness-aware minimization."""

from keras import ops

from keras_regopt.optimizers.engine._norms import global_norm


def ascent(gradients, variables, rho, adaptive):
    """The perturbation of length `rho` that raises the loss most.

    Args:
        gradients: List of reduced, dense gradients; their scale is irrelevant.
        variables: List of the variables that they belong to.
        rho: The length, a Python number.
        adaptive: Whether the length is measured relative to the weights.

    Returns:
        List of tensors to add to the variables, of their dtypes. All zeros
        where all gradients are zero.
    """
    # In single precision, since the quotient leaves the range of a half.
    directions = [ops.cast(gradient, "float32") for gradient in gradients]
    if adaptive:
        sizes = [ops.cast(variable, "float32") for variable in variables]
        directions = _products(sizes, directions)
    length = global_norm(directions)
    is_flat = ops.equal(length, 0)
    scale = ops.where(is_flat, 0.0, rho / ops.where(is_flat, 1.0, length))
    if adaptive:
        directions = _products(sizes, directions)
    return [
        ops.cast(direction * scale, variable.dtype)
        for direction, variable in zip(directions, variables, strict=True)
    ]


def _products(a, b):
    return [x * y for x, y in zip(a, b, strict=True)]
