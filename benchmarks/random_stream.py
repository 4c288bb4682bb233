"""Writes the numbers that layers draw to a pipe, for a battery of tests.

    KERAS_BACKEND=jax python benchmarks/random_stream.py | dieharder -a -g 200

The stream is what a layer with a tensor of `--size` values draws in training:
all positions of a step, then those of the next, as little-endian words of 32
bits. It has no end.
"""

import argparse
import sys

import jax
import jax.numpy as jnp
import numpy as np

from keras_regopt._random import hashed, words


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=2**16)
    parser.add_argument("--steps", type=int, help="end after so many")
    arguments = parser.parse_args()
    at_once = max(1, 2**22 // arguments.size)
    step = 0
    while arguments.steps is None or step < arguments.steps:
        numbers = drawn(arguments.seed, step, at_once, arguments.size)
        try:
            sys.stdout.buffer.write(np.asarray(numbers).tobytes())
        except BrokenPipeError:
            # The battery has what it needs.
            sys.stderr.close()
            return
        step += at_once


@jax.jit(static_argnums=(2, 3))
def drawn(seed, first_step, steps, size):
    key = jnp.full(steps, seed), jnp.arange(steps) + first_step
    first, second = (word[:, None] for word in words(key))
    return hashed(jnp.arange(size)[None], first, second)


if __name__ == "__main__":
    main()
