"""Signals read at another speed, and with it another pitch."""

import functools

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._gather import rows_at
from keras_regopt.augmentation._training import is_traced
from keras_regopt.augmentation.audio.functional._block_filter import (
    filtered,
    low_pass,
)

# How many samples there are for one where signals are read.
FINER = 2

# How many samples are counted from one exact place: places in a long signal
# have no digits left behind the point in float32.
STRIDE = 256


def resample(signals, speed, length):
    """Plays signals faster or slower, as a tape does.

    Their spectra tell what lies between the samples: they are brought to
    `FINER` times the rate, without what the output cannot hold, and read by
    cubic splines.

    Args:
        signals: Tensor of shape `(rows, samples)` and dtype float32.
        speed: Tensor of shape `(rows,)`: above 1 is faster and higher.
        length: How many samples of the output are wanted.

    Returns:
        A tensor of shape `(rows, length)`, silent where the input is over.
    """
    weights = functools.partial(spline_weights, speed)
    fine = filtered(signals, weights, FINER, ahead=1)
    return read_at_speed(fine, speed, length)


def band_limited(signals, cutoff):
    """Leaves out all above a frequency.

    Args:
        signals: Tensor of shape `(rows, samples)` and dtype float32.
        cutoff: Tensor of shape `(rows,)`, in shares of half the sample rate.

    Returns:
        A tensor like `signals`.
    """
    return filtered(signals, functools.partial(low_pass, cutoff))


def spline_weights(speed, bins):
    """Weights for the spectra of signals that `read_at_speed` reads.

    They keep what the output can hold, and make coefficients of splines of
    samples.

    Args:
        speed: Tensor of shape `(rows,)`.
        bins: How many bins there are, of an even number of samples.

    Returns:
        A tensor of shape `(rows, bins)`.
    """
    angles = np.linspace(0, np.pi / FINER, bins)
    of_splines = (3 / (2 + np.cos(angles))).astype("float32")
    return low_pass(1.0 / speed, bins) * ops.convert_to_tensor(of_splines)


def read_at_speed(fine, speed, length):
    """Reads cubic splines.

    Args:
        fine: Tensor of shape `(rows, samples)`: the coefficients of the
            splines, `FINER` for each sample of the signals, and one ahead of
            the first.
        speed: Tensor of shape `(rows,)`: how many samples of the signals
            there are for one of the output.
        length: How many samples of the output are wanted.

    Returns:
        A tensor of shape `(rows, length)`, zero where the splines are over.
    """
    step = FINER * speed
    fine = ops.pad(fine, [[0, 0], [0, 4]])
    last = fine.shape[1] - 4
    if keras.backend.backend() == "torch" and not is_traced(fine):
        return _read_by_torch(fine, step, length, last)
    whole, part = _places(step, length)
    rows = ops.arange(ops.shape(fine)[0], dtype="int32") * fine.shape[1]
    whole = ops.minimum(whole, last) + rows[:, None]
    fine = ops.reshape(fine, (-1,))
    return sum(
        weight * rows_at(fine, whole + offset)
        for offset, weight in enumerate(_spline(part))
    )


def _places(step, length):
    """Multiples of a step, as whole numbers and the parts of one behind them.

    Args:
        step: Tensor of shape `(rows,)`.
        length: How many multiples are wanted, from 0 on.

    Returns:
        Two tensors of shape `(rows, length)`, of integers and of floats.
    """
    strides = -(-length // STRIDE)
    stride = STRIDE * step
    whole = ops.floor(stride)
    number = ops.arange(strides, dtype="int32")
    rest = ops.cast(number, "float32") * (stride - whole)[:, None]
    begin = number * ops.cast(whole, "int32")[:, None]
    begin = begin + ops.cast(ops.floor(rest), "int32")
    within = ops.arange(STRIDE, dtype="float32") * step[:, None, None]
    within = within + (rest - ops.floor(rest))[..., None]
    places = begin[..., None] + ops.cast(ops.floor(within), "int32")
    parts = within - ops.floor(within)
    flat = (-1, strides * STRIDE)
    return (
        ops.reshape(places, flat)[:, :length],
        ops.reshape(parts, flat)[:, :length],
    )


def _spline(t):
    """The cubic B-spline at the distances 1 + t, t, 1 - t and 2 - t."""
    from_end = 1.0 - t
    return (
        from_end * from_end * from_end / 6,
        (0.5 * t - 1.0) * t * t + 2 / 3,
        (0.5 * from_end - 1.0) * from_end * from_end + 2 / 3,
        t * t * t / 6,
    )


def _read_by_torch(fine, step, length, last):
    """As in `read_at_speed`; doubles have digits enough."""
    import torch

    numbers = torch.arange(length, dtype=torch.float64, device=fine.device)
    places = (numbers * step.double()[:, None]).clamp_(max=last)
    whole = places.int()
    part = places.sub_(whole).float()
    rows = torch.arange(len(fine), dtype=torch.int32, device=fine.device)
    index = whole.add_(rows[:, None] * fine.shape[1]).reshape(-1)
    fine = fine.reshape(-1)
    total = torch.zeros_like(part)
    for offset, weight in enumerate(_spline(part)):
        read = fine.index_select(0, index + offset)
        total.addcmul_(weight, read.reshape(part.shape))
    return total
