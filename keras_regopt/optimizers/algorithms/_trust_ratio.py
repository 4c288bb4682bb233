"""The ratio that fits the steps of LARS and LAMB to each layer."""

from keras import ops


def trust_ratio(dividend, divisor):
    """The quotient of two norms, or 1 where one of them is zero."""
    defined = ops.logical_and(dividend > 0, divisor > 0)
    divisor = ops.where(defined, divisor, 1.0)
    return ops.where(defined, dividend / divisor, 1.0)
