"""How the bins of one window turn, told from the last one.

Complex numbers are pairs of real tensors here, of shape `(rows, bins)`.
"""

from keras_regopt._keras import data_ops as ops

# How much of its neighbours at the distances 0, 1 and 2 a bin follows.
LOCKING = (1.0, 1.0, 0.5)

# A bin with this many times the energy that it had one hop before starts
# again; what is above that counts so much.
ONSET = 100.0
ONSET_WEIGHT = 10.0

# Energy below which there is nothing to follow.
NOTHING = 1e-12


def pull(last, now, before, channels):
    """Where the last window, and the energies of this one, draw each bin.

    Args:
        last: The spectra of the last windows.
        now: Those of the windows now.
        before: Those of the windows one hop before these.
        channels: How many rows belong to one clip.

    Returns:
        A phasor for each bin of each clip, weighted by the energy behind it,
        and the weight of a fresh start.
    """
    gained = times(last, (before[0], -before[1]))
    energies = energy_of(last), energy_of(now), energy_of(before)
    gained = tuple(_summed(part, channels) for part in gained)
    last, now, before = (_summed(part, channels) for part in energies)
    # The root of `now / last`, whose gradient is finite in silence, too.
    weight = now * ops.rsqrt(now * last + NOTHING**2)
    fresh = ONSET_WEIGHT * ops.relu(now - ONSET * before)
    return tuple(part * weight for part in gained), fresh


def followed(rotation, drawn, fresh):
    """The rotation now.

    Args:
        rotation: The rotation of the last window.
        drawn: The first result of `pull`.
        fresh: The second one.

    Returns:
        A pair of tensors, of length 1; of nothing, it is 1, since 0 would
        silence all that follows.
    """
    real, imaginary = times(rotation, drawn)
    real = _blurred(real + fresh) + NOTHING
    imaginary = _blurred(imaginary)
    energy = real * real + imaginary * imaginary
    inverse = ops.rsqrt(energy + NOTHING**3)
    return real * inverse, imaginary * inverse


def times(a, b):
    """The product of complex numbers."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def energy_of(a):
    """The square of the length of complex numbers."""
    return a[0] * a[0] + a[1] * a[1]


def _blurred(x):
    """Sums over near bins, weighted by `LOCKING`."""
    reach, bins = len(LOCKING) - 1, x.shape[-1]
    wide = ops.pad(x, [[0, 0], [reach, reach]])
    total = LOCKING[0] * x
    for distance, weight in enumerate(LOCKING[1:], 1):
        below = wide[:, reach - distance :][:, :bins]
        above = wide[:, reach + distance :][:, :bins]
        total = total + weight * (below + above)
    return total


def _summed(x, channels):
    """The sum over the channels of each clip."""
    if channels == 1:
        return x
    return ops.sum(ops.reshape(x, (-1, channels, x.shape[-1])), axis=1)
