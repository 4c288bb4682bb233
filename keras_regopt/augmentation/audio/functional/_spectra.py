"""Fourier transforms of waveforms, of sizes that are quick."""

import bisect
import math

import numpy as np

from keras_regopt._keras import data_ops as ops

LARGEST = 2**28


def _quick_sizes():
    """All even numbers without prime factors above 5, up to the largest."""
    exponents = [int(math.log(LARGEST, prime)) + 1 for prime in (2, 3, 5)]
    two, three, five = (range(count + 1) for count in exponents)
    sizes = {2 * 2**a * 3**b * 5**c for a in two for b in three for c in five}
    return sorted(size for size in sizes if size <= LARGEST)


SIZES = _quick_sizes()


def fft_size(least):
    """The smallest quick size that holds some samples.

    Args:
        least: How many: an integer, or a scalar tensor in a graph that does
            not know it.

    Returns:
        An even integer without prime factors above 5, or such a tensor.
    """
    if isinstance(least, int):
        return SIZES[bisect.bisect_left(SIZES, least)]
    sizes = ops.convert_to_tensor(np.array(SIZES, "int32"))
    index = ops.sum(ops.cast(sizes < ops.cast(least, "int32"), "int32"))
    return ops.take(sizes, index)


def frequencies(size):
    """The frequencies of a spectrum, from 0 to 0.5, in cycles a sample."""
    index = ops.arange(size // 2 + 1, dtype="float32")
    return index / ops.cast(size, "float32")


def product(first, second):
    """The product of two complex tensors, pairs of real and imaginary."""
    (a, b), (c, d) = first, second
    return a * c - b * d, a * d + b * c


def quotient(above, below):
    """The quotient of two complex tensors, pairs of real and imaginary."""
    real, imaginary = product(above, (below[0], -below[1]))
    size = below[0] * below[0] + below[1] * below[1]
    return real / size, imaginary / size


def convolve(waves, response, size):
    """Waveforms through a frequency response.

    Args:
        waves: Float32 tensor of shape `(batch, time, channels)`.
        response: Pair of real and imaginary parts, of shapes that broadcast
            to `(batch, size // 2 + 1)`.
        size: The size of the transform. It must hold the waveforms and what
            the response rings on, or the end comes in again at the start.

    Returns:
        A tensor like `waves`.
    """
    time = ops.shape(waves)[1]
    spectrum = ops.rfft(ops.transpose(waves, (0, 2, 1)), fft_length=size)
    response = tuple(ops.expand_dims(part, axis=1) for part in response)
    result = ops.irfft(product(spectrum, response), fft_length=size)
    result = ops.transpose(result[:, :, :time], (0, 2, 1))
    # A transform of a size that is not known forgets the others, too.
    return ops.reshape(result, ops.shape(waves))
