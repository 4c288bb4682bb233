"""Augmentation on a GPU: ours under torch or JAX, and kornia's, by turns.

KERAS_BACKEND=torch python benchmarks/bench_images.py --device gpu
"""

import statistics
import time

import keras
import numpy as np
from _image_contenders import MODES, RANGES, comparison_of, photographs
from _image_operations import Kit

from keras_regopt import augmentation

BACKEND = keras.backend.backend()
CALLS = 10


def report(names, sizes, batch, rounds):
    """Prints images per second and the share of the bandwidth of the memory.

    The share is that of reading the batch once and writing it once.
    """
    if not on_gpu():
        print("No GPU is at hand: nothing is measured.")
        return
    bandwidth = copied_bytes_per_second(rounds)
    print(f"{BACKEND}: a copy moves {bandwidth / 1e9:,.0f} GB/s")
    for size in sizes:
        for dtype in RANGES:
            images = photographs(size, dtype, batch)
            for name in names:
                steps = contenders(name, images, size, dtype)
                for mode, seconds in interleaved(steps, rounds).items():
                    share = 2 * images.nbytes / seconds / bandwidth
                    print(
                        f"{name} {size} {dtype}, {mode}: "
                        f"{batch / seconds:,.0f} images/s, {share:.1%}",
                        flush=True,
                    )


def on_gpu():
    if BACKEND == "jax":
        import jax

        return jax.default_backend() == "gpu"
    import torch

    return BACKEND == "torch" and torch.cuda.is_available()


def contenders(name, images, size, dtype):
    """A dict: mode to a step that does not wait for the GPU."""
    comparison = comparison_of(name)
    if comparison.labels:
        # Mixing is left to the other table.
        return {}
    kit = Kit(augmentation, size, RANGES[dtype])
    if BACKEND == "jax":
        return {"jit": MODES["jax"]["JAX jit"](comparison.ours, kit, images)}
    layer = comparison.ours(kit)
    data = keras.ops.convert_to_tensor(images)
    steps = {"eager": lambda: layer(data, training=True)}
    if comparison.kornia is not None and dtype == "float32":
        try:
            import kornia.augmentation
        except ImportError:
            print("Without kornia, which is not installed: pip install kornia")
        else:
            peer = comparison.kornia(Kit(kornia.augmentation, size, (0, 1)))
            first = data.permute(0, 3, 1, 2).contiguous()
            steps["kornia"] = lambda: peer(first)
    return steps


def copied_bytes_per_second(rounds):
    """What a copy within the memory of the GPU reads and writes."""
    data = keras.ops.convert_to_tensor(np.zeros(2**28, "uint8"))
    seconds = interleaved({"copy": lambda: keras.ops.copy(data)}, rounds)
    return 2 * 2**28 / seconds["copy"]


def interleaved(steps, rounds):
    """Medians of the wall seconds of a step, once it is compiled."""
    times = {mode: [] for mode in steps}
    for turn in range(rounds + 1):
        for mode, step in steps.items():
            before = time.perf_counter()
            for _ in range(CALLS):
                result = step()
            wait_for(result)
            if turn:
                times[mode].append((time.perf_counter() - before) / CALLS)
    return {mode: statistics.median(taken) for mode, taken in times.items()}


def wait_for(result):
    if BACKEND == "jax":
        import jax

        jax.block_until_ready(result)
    else:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
