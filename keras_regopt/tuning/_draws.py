"""Random numbers that are a function of a seed and of what they are for."""

import hashlib

import numpy as np


def uniform(seed, *purpose):
    """A number from 0 up to 1.

    It is a hash, so that trials, hyperparameters and seeds do not depend on
    each other, nor on the order in which they are drawn.

    Args:
        seed: An `int`.
        *purpose: What the number is for, such as a trial and a name.

    Returns:
        A `float`, the same on every machine.
    """
    text = repr((seed, *purpose))
    digest = hashlib.sha256(text.encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def stratified(seed, number, count, name):
    """A number from 0 up to 1, one in each of `count` equal intervals.

    Args:
        seed: An `int`.
        number: Which of the numbers, from 0.
        count: How many there are.
        name: What they are for.

    Returns:
        A `float`.
    """
    keys = [uniform(seed, name, "order", i) for i in range(count)]
    place = sorted(range(count), key=keys.__getitem__).index(number)
    return (place + uniform(seed, name, "within", number)) / count


def generator(seed, number):
    """NumPy's counter-based generator, keyed by a seed and a number."""
    sequence = np.random.SeedSequence([seed, number])
    return np.random.Generator(np.random.Philox(sequence))
