"""Impulse responses of rooms, with the direct sound at sample 0."""

import math

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._levels import amplitude
from keras_regopt.augmentation.audio.functional._noise import normals

SOUND = 343.0  # meters a second

# Images are counted up to this time. Later ones lie so close that they are
# noise, as in a room.
EARLY = 0.05

# Lengths, widths and heights of rooms, in meters.
ROOMS = ((3.0, 10.0), (3.0, 8.0), (2.4, 4.0))

# Of reflections, which all are positive, rumble is left below this, in Hz.
RUMBLE = 50.0


def decaying(keys, decay, direct, size, sample_rate):
    """Direct sound and noise that fades, of energy 1.

    Args:
        keys: Int32 tensor of shape `(batch,)`.
        decay: Float32 tensor of shape `(batch,)`: seconds in which the noise
            fades by 60 dB.
        direct: Float32 tensor of shape `(batch,)`: energy of the direct sound
            over that of the noise, in decibels.
        size: The number of samples.
        sample_rate: Samples a second.

    Returns:
        Float32 tensor of shape `(batch, size)`.
    """
    index = ops.arange(size, dtype="float32")[None, :]
    fading = ops.exp(-3 * math.log(10) / sample_rate * index / decay[:, None])
    noise = ops.where(index > 0, normals(keys, size) * fading, 0.0)
    energy = ops.sum(noise * noise, axis=1, keepdims=True)
    ratio = amplitude(-direct)[:, None]
    sound = ops.where(index == 0, 1.0, noise * ratio / ops.sqrt(energy))
    return sound / ops.sqrt(1.0 + ratio * ratio)


def at_direct_sound(response):
    """A response from its direct sound on, of energy 1.

    Args:
        response: Float array of one axis, not all zero.

    Returns:
        Float32 array, no longer than the response.
    """
    response = np.asarray(response, "float64")
    size = np.abs(response)
    # The first arrival need not be the strongest one.
    first = int(np.argmax(size >= 0.5 * size.max()))
    # On to its top, while it rises.
    while first + 1 < len(size) and size[first + 1] > size[first]:
        first += 1
    response = response[first:]
    return (response / np.sqrt(np.sum(response**2))).astype("float32")


def rooms(count, decay, sample_rate, seed):
    """Impulse responses of rooms in the shape of boxes.

    Args:
        count: How many.
        decay: Pair of the shortest and the longest time, in seconds, in which
            a room fades by 60 dB.
        sample_rate: Samples a second.
        seed: An integer.

    Returns:
        A list of float32 arrays of one axis.
    """
    random = np.random.default_rng(seed)
    seconds = random.uniform(*decay, count)
    return [_room(random, second, sample_rate) for second in seconds]


def _room(random, decay, sample_rate):
    """The response of a room of a random size, from one place to another."""
    # Slow to import.
    from scipy import signal

    room = np.array([random.uniform(*sides) for sides in ROOMS])
    source, microphone = random.uniform(0.15, 0.85, (2, 3)) * room
    distance, bounces = _images(room, source, microphone)
    direct = distance.min()
    delay = (distance - direct) * sample_rate / SOUND
    pressure = direct / distance * _reflection(room, decay) ** bounces
    # Each image at the nearest sample, the direct sound at the first.
    response = np.zeros(math.ceil(decay * sample_rate) + 2)
    early = min(round(EARLY * sample_rate), len(response))
    index = np.round(delay).astype(int)
    heard = index < early
    np.add.at(response, index[heard], pressure[heard])
    reflected = response.copy()
    reflected[0] = 0.0
    reflected[early:] = _late(random, reflected, early, decay, sample_rate)
    high_pass = signal.butter(2, RUMBLE, "highpass", fs=sample_rate)
    reflected = signal.lfilter(*high_pass, reflected)
    reflected[0] += response[0]
    return at_direct_sound(reflected)


def _images(room, source, microphone):
    """Distance and number of bounces of each image of a source in a box."""
    reach = np.ceil((EARLY * SOUND + room.sum()) / (2 * room)).astype(int)
    axes = []
    for side, place, count in zip(room, source, reach, strict=True):
        cell = np.arange(-count, count + 1)
        # The source itself and its mirror image, once for each pair of rooms.
        places = np.concatenate(
            [place + 2 * side * cell, 2 * side * cell - place]
        )
        bounces = np.concatenate([np.abs(2 * cell), np.abs(2 * cell - 1)])
        axes.append((places, bounces))
    squares = [
        (places - here) ** 2
        for (places, _), here in zip(axes, microphone, strict=True)
    ]
    total = sum(np.ix_(*squares))
    return np.sqrt(total).ravel(), sum(np.ix_(*[b for _, b in axes])).ravel()


def _reflection(room, decay):
    """What a wall leaves of the pressure, by Eyring's formula."""
    volume = room.prod()
    surface = 2 * (room[0] * room[1] + room[0] * room[2] + room[1] * room[2])
    absorbed = 24 * math.log(10) / SOUND * volume / (surface * decay)
    return math.exp(-absorbed / 2)


def _late(random, reflected, early, decay, sample_rate):
    """Noise that goes on where the images end, as loud as the last of them."""
    last = reflected[early // 2 : early]
    rate = 3 * math.log(10) / (decay * sample_rate)
    middle = 0.75 * early
    level = np.sqrt(np.mean(last**2)) if len(last) else 0.0
    index = np.arange(early, len(reflected))
    noise = random.standard_normal(len(index))
    return level * np.exp(-rate * (index - middle)) * noise
