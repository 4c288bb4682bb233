"""Frequency responses of filters, those of their bilinear transforms.

An analog filter is a function of `s`. On the way to samples a frequency `f`
stands for `s = j * tan(pi * f)`, with `f` in cycles a sample. So there are no
coefficients: the response at each frequency is computed from the formula of
the analog filter. Complex tensors are pairs of real and imaginary parts.
"""

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._spectra import (
    frequencies,
    product,
    quotient,
)

# Where frequencies end: further out, squares would be infinite.
LARGEST = 1e6
SMALLEST = 1e-20


def warped(frequency):
    """The analog frequency of one from 0 to 0.5, in cycles a sample."""
    return ops.tan(math.pi * frequency)


def axis_of(size, scale=1.0):
    """The analog frequencies of a spectrum, of shape `(1, bins)`.

    Args:
        size: The size of the transform.
        scale: The sample rate over that for which a filter is meant.

    Returns:
        A float32 tensor.
    """
    # The last one is infinite, or negative where pi is rounded.
    inner = ops.minimum(frequencies(size) * scale, 0.5 - 1e-7)
    return ops.expand_dims(ops.clip(warped(inner), 0.0, LARGEST), axis=0)


def butterworth(omega, order):
    """The low pass of Butterworth, -3 dB at 1.

    Args:
        omega: Tensor of frequencies; negative ones give the conjugate.
        order: How steep it is: `6 * order` decibels an octave.

    Returns:
        A complex tensor of the shape of `omega`.
    """
    omega = _bounded(omega)
    one = ops.ones_like(omega)
    result = one, ops.zeros_like(omega)
    for angle in angles(order):
        section = 1.0 - omega * omega, 2.0 * math.cos(angle) * omega
        result = quotient(result, section)
    return quotient(result, (one, omega)) if order % 2 else result


def angles(order):
    """The angles of the pairs of poles, from the real axis."""
    first = 1 if order % 2 else 0.5
    return [math.pi * (k + first) / order for k in range(order // 2)]


def low_pass(axis, cutoff, order):
    """Lets frequencies below the cutoff pass, `(batch, 1)` as `warped`."""
    return butterworth(axis / cutoff, order)


def high_pass(axis, cutoff, order):
    """Lets frequencies above the cutoff pass."""
    return butterworth(-cutoff / ops.maximum(axis, SMALLEST), order)


def band_pass(axis, low, high, order):
    """Lets frequencies between two cutoffs pass."""
    axis = ops.maximum(axis, SMALLEST)
    omega = (axis * axis - low * high) / ((high - low) * axis)
    return butterworth(omega, order)


def band_stop(axis, low, high, order):
    """Stops frequencies between two cutoffs."""
    axis = ops.maximum(axis, SMALLEST)
    distance = axis * axis - low * high
    # In the very middle the quotient is infinite, of either sign.
    near = ops.abs(distance) < SMALLEST
    distance = ops.where(near, SMALLEST, distance)
    return butterworth(-(high - low) * axis / distance, order)


def peaking(axis, center, gain, bandwidth):
    """Raises or lowers a band.

    Args:
        axis: What `axis_of` returned.
        center: The middle of the band, `(batch, 1)` as `warped`.
        gain: The factor in the middle, `(batch, 1)`.
        bandwidth: Octaves between the points of half the gain in decibels.

    Returns:
        A complex tensor of shape `(batch, bins)`.
    """
    omega = _bounded(axis / center)
    root = ops.sqrt(gain)
    width = 2.0 * ops.sinh(math.log(2) / 2 * bandwidth) * omega
    real = 1.0 - omega * omega
    return quotient((real, width * root), (real, width / root))


def low_shelf(axis, cutoff, gain):
    """Raises or lowers what is below a frequency, there by half the gain."""
    above, below = _shelf(_bounded(axis / cutoff), gain)
    return quotient(above, below)


def high_shelf(axis, cutoff, gain):
    """Raises or lowers what is above a frequency, there by half the gain."""
    # The mirror image: the other side of a low shelf of the other gain.
    above, below = _shelf(_bounded(axis / cutoff), 1.0 / gain)
    real, imaginary = quotient(above, below)
    return gain * real, gain * imaginary


def _shelf(omega, gain):
    """Numerator and denominator of a low shelf without a hump."""
    root = ops.sqrt(gain)
    width = math.sqrt(2) * ops.sqrt(root) * omega
    square = omega * omega
    # The gain is that of an amplitude, `root` is the cookbook's `A`.
    above = root * (root - square), root * width
    below = 1.0 - root * square, width
    return above, below


def _bounded(omega):
    return ops.clip(omega, -LARGEST, LARGEST)


def second_order(axis, frequency, quality, numerator):
    """A section `(b2 s^2 + b1 s + b0) / (s^2 + s / Q + 1)`.

    Args:
        axis: What `axis_of` returned.
        frequency: Where `s` is `j`, as `warped`.
        quality: The `Q`.
        numerator: `(b2, b1, b0)`.

    Returns:
        A complex tensor of the shape of `axis`.
    """
    omega = _bounded(axis / frequency)
    square = omega * omega
    above = numerator[2] - numerator[0] * square, numerator[1] * omega
    return quotient(above, (1.0 - square, omega / quality))


def cascade(*responses):
    """The response of filters that follow one another."""
    result, *others = responses
    for other in others:
        result = product(result, other)
    return result
