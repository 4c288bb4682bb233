"""The way up that sharpness-aware minimization goes before each step."""

from keras import ops

from keras_regopt.optimizers.engine._norms import global_norm


def ascent(gradients, variables, rho, adaptive):
    """The perturbation of length `rho` that raises the loss most.

    Args:
        gradients: List of complete, dense gradients; their scale is of no
            account.
        variables: List of the variables that they belong to.
        rho: The length, a Python number.
        adaptive: Whether the length is measured relative to the weights.

    Returns:
        List of tensors to add to the variables, of their dtypes. All zeros
        where all gradients are zero.
    """
    # In single precision, since the quotient leaves the range of a half.
    ways = [ops.cast(gradient, "float32") for gradient in gradients]
    if adaptive:
        sizes = [ops.cast(variable, "float32") for variable in variables]
        ways = [size * way for size, way in zip(sizes, ways, strict=True)]
    length = global_norm(ways)
    is_flat = ops.equal(length, 0)
    scale = ops.where(is_flat, 0.0, rho / ops.where(is_flat, 1.0, length))
    if adaptive:
        ways = [size * way for size, way in zip(sizes, ways, strict=True)]
    return [
        ops.cast(way * scale, variable.dtype)
        for way, variable in zip(ways, variables, strict=True)
    ]
