"""The state of random generators, in a form that every backend can read."""

import numpy as np


def seed_state(generator):
    """The state of a generator, to be saved.

    Args:
        generator: A `keras.random.SeedGenerator`.

    Returns:
        An int64 array of two numbers. Backends keep seeds as int64, uint32 or
        int32; only the lower 32 bits count.
    """
    state = np.array(generator.backend.convert_to_numpy(generator.state))
    return state.astype("int64") & 0xFFFFFFFF


def set_seed_state(generator, state):
    """Makes a generator go on from a saved state.

    Args:
        generator: A `keras.random.SeedGenerator`.
        state: What `seed_state` returned, on any backend.
    """
    state = np.array(state).astype("int64")
    if generator.state.dtype == "int32":
        state = state.astype("uint32").view("int32")
    generator.state.assign(
        generator.backend.convert_to_tensor(state.astype(generator.state.dtype))
    )
