"""The states of the random generators that a whole process shares."""

import random
import sys

import keras
import numpy as np

from keras_regopt._keras import existing_global_seed, global_seed_generator
from keras_regopt._seed_state import seed_state, set_seed_state


def random_states():
    """The states of all of them, as plain values.

    Returns:
        A dict with those of Python, NumPy, torch (if it is loaded) and Keras
        (if it has been used).
    """
    return plain_states(capture_states())


def capture_states():
    """As `random_states`, but quick enough for every batch.

    Returns:
        What `plain_states` makes plain values of.
    """
    states = {
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=False),
    }
    if _torch() is not None:
        states["torch"] = _torch().get_rng_state()
    generator = existing_global_seed()
    if generator is not None:
        states["keras"] = seed_state(generator)
    return states


def plain_states(states):
    """What `capture_states` returned, as plain values."""
    version, key, gauss = states["python"]
    plain = {**states, "python": [version, np.array(key, "uint32"), gauss]}
    if "torch" in states:
        plain["torch"] = states["torch"].numpy()
    return plain


def set_random_states(states):
    """Makes all generators go on from where `random_states` was called."""
    version, key, gauss = states["python"]
    random.setstate((version, tuple(key.tolist()), gauss))
    np.random.set_state(states["numpy"])
    if "torch" in states and _torch() is not None:
        _torch().set_rng_state(_torch().from_numpy(states["torch"].copy()))
    if "keras" in states:
        set_seed_state(global_seed_generator(), states["keras"])


def _torch():
    # Not imported for this alone: what is not loaded draws no numbers.
    if keras.backend.backend() == "torch":
        import torch

        return torch
    return sys.modules.get("torch")
