"""Loudness of programmes by ITU-R BS.1770-5: K weighting and gating."""

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._filters import (
    axis_of,
    second_order,
)
from keras_regopt.augmentation.audio.functional._levels import within
from keras_regopt.augmentation.audio.functional._spectra import (
    convolve,
    fft_size,
    product,
)

# The two filters, as analog prototypes of the coefficients at 48 kHz.
RATE = 48000
SHELF_HZ, SHELF_QUALITY = 1681.974450955533, 0.7071752369554196
SHELF_GAIN, SHELF_MIDDLE = 1.584864701130855, 1.258720930232562
PASS_HZ, PASS_QUALITY = 38.13547087602444, 0.5003270373238773
# The standard leaves the high pass with this gain.
PASS_GAIN = 1.0049949

# Seconds after which the high pass has rung out, by 80 dB.
TAIL = 9.2 * 2 * PASS_QUALITY / (2 * math.pi * PASS_HZ)

# Left, right, center, and the two at the back, which count more.
WEIGHTS = (1.0, 1.0, 1.0, 1.41, 1.41)

OFFSET = -0.691
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0

# Blocks of 0.4 s, one every 0.1 s.
STEPS_A_SECOND = 10
STEPS_A_BLOCK = 4


def loudness(waves, lengths, sample_rate):
    """The integrated loudness of each clip.

    Args:
        waves: Float32 tensor of shape `(batch, time, channels)`, with at most
            five channels.
        lengths: Int32 tensor of shape `(batch,)`, the valid samples.
        sample_rate: Samples a second.

    Returns:
        Float32 tensor of shape `(batch,)`, in LUFS; `-inf` where all is below
        the absolute gate. A clip of less than 0.4 s is one block.
    """
    power = _weighted_power(waves, lengths, sample_rate)
    step = round(sample_rate / STEPS_A_SECOND)
    blocks, counted = _blocks(power, lengths, step)
    gate = _power_of(ABSOLUTE_GATE)
    heard = ops.logical_and(counted, blocks > gate)
    relative = _mean(blocks, heard) * 10.0 ** (RELATIVE_GATE / 10)
    heard = ops.logical_and(heard, blocks > relative[:, None])
    mean = _mean(blocks, heard)
    level = OFFSET + 10 / math.log(10) * ops.log(ops.maximum(mean, gate))
    return ops.where(mean > 0, level, -float("inf"))


def k_weighting(size, sample_rate):
    """The frequency response of the K weighting, `(1, bins)`.

    At every sample rate it is that of 48 kHz, which is what the standard asks
    for.
    """
    axis = axis_of(size, sample_rate / RATE)
    shelf = second_order(
        axis,
        math.tan(math.pi * SHELF_HZ / RATE),
        SHELF_QUALITY,
        (SHELF_GAIN, SHELF_MIDDLE / SHELF_QUALITY, 1.0),
    )
    high_pass = second_order(
        axis,
        math.tan(math.pi * PASS_HZ / RATE),
        PASS_QUALITY,
        (PASS_GAIN, 0.0, 0.0),
    )
    return product(shelf, high_pass)


def _weighted_power(waves, lengths, sample_rate):
    """The square of each sample as it is heard, of all channels."""
    _, time, channels = ops.shape(waves)
    valid = within(lengths, time)
    tail = math.ceil(TAIL * sample_rate)
    size = fft_size(time + tail)
    response = k_weighting(size, sample_rate)
    heard = convolve(ops.where(valid, waves, 0.0), response, size)
    heard = ops.where(valid, heard, 0.0)
    power = 0.0
    for channel in range(channels):
        power = power + WEIGHTS[channel] * heard[:, :, channel] ** 2
    return power


def _blocks(power, lengths, step):
    """The mean power of each block, and which blocks count."""
    batch, time = ops.shape(power)
    steps = -(-time // step)
    padded = ops.pad(power, [[0, 0], [0, steps * step - time]])
    sums = ops.sum(ops.reshape(padded, (batch, steps, step)), axis=2)
    whole = STEPS_A_BLOCK * step
    sums = ops.pad(sums, [[0, 0], [0, STEPS_A_BLOCK - 1]])
    blocks = sum(sums[:, k : k + steps] for k in range(STEPS_A_BLOCK))
    # One shorter than a block is a block by itself.
    size = ops.cast(ops.clip(lengths, 1, whole), "float32")
    start = ops.arange(steps, dtype="int32")[None, :] * step
    counted = ops.logical_or(start == 0, start + whole <= lengths[:, None])
    return blocks / size[:, None], counted


def _mean(blocks, chosen):
    """The mean of the blocks that are chosen, 0 if none is."""
    count = ops.sum(ops.cast(chosen, "float32"), axis=1)
    total = ops.sum(ops.where(chosen, blocks, 0.0), axis=1)
    return total / ops.maximum(count, 1.0)


def _power_of(level):
    return 10.0 ** ((level - OFFSET) / 10)
