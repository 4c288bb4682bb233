"""The peak memory of each augmentation of images, as XLA plans it.

Peak is all that a layer's largest compiled program holds at once: what comes
in (parameters and drawn noise too), what goes out, and what lies between. It
is given in batches of float32, so that bytes count a quarter. XLA tells it
under JAX, which this starts in a process of its own. Call it by itself with

    python benchmarks/_image_memory.py
"""

import json
import os
import subprocess
import sys

LIMIT = 3
DTYPES = ("float32", "uint8")


def peaks(size=224, batch=16):
    """The peak of every augmentation, measured in a process of its own.

    Args:
        size: Height and width of the images.
        batch: How many images there are.

    Returns:
        A dict of dicts: by the name of the layer and the dtype of the images,
        the peak in batches of float32.
    """
    process = subprocess.run(
        [sys.executable, __file__, str(size), str(batch)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(process.stdout.splitlines()[-1])


def table(measured):
    """A table in Markdown; peaks beyond the limit are set in bold."""
    rows = [
        "| layer | " + " | ".join(f"{d} images" for d in DTYPES) + " |",
        "|---|" + "---:|" * len(DTYPES),
    ]
    for name, by_dtype in sorted(measured.items()):
        cells = [
            f"**{peak:.1f}**" if round(peak, 1) > LIMIT else f"{peak:.1f}"
            for peak in (by_dtype[dtype] for dtype in DTYPES)
        ]
        rows.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(rows) + "\n"


def _layers(size):
    """All augmentations of images that are registered."""
    from keras_regopt import augmentation
    from keras_regopt._registry import registered

    three_quarters = {"height": size * 3 // 4, "width": size * 3 // 4}
    arguments = {
        "Apply": lambda: {"layer": augmentation.RandomAffine()},
        "Choice": lambda: {"layers": _affine_and_noise()},
        "Compose": lambda: {"layers": _affine_and_noise()},
        "RandomCrop": lambda: three_quarters,
        "RandomMix": lambda: {
            "layers": [augmentation.MixUp(), augmentation.CutMix()]
        },
        "RandomResizedCrop": lambda: {"height": size, "width": size},
    }
    for cls in registered():
        if issubclass(cls, augmentation.ImageAugmentation):
            name = cls.__name__
            # Each image changes, so that nothing is left out.
            yield name, cls(rate=1.0, **arguments.get(name, dict)())


def _affine_and_noise():
    from keras_regopt.augmentation import RandomAffine, RandomGaussianNoise

    return [RandomAffine(), RandomGaussianNoise()]


def _measured(size, batch):
    import numpy as np

    from keras_regopt.augmentation import _compile

    seen = []
    _compile._compile_jax = lambda function: _recorded(function, seen)
    images = np.random.default_rng(0).uniform(0, 255, (batch, size, size, 3))
    results = {}
    for name, layer in _layers(size):
        for dtype in DTYPES:
            seen.clear()
            _compile._programs.pop(layer, None)
            layer(images.astype(dtype), training=True)
            peak = max(seen, default=0) / (4 * images.size)
            results.setdefault(name, {})[dtype] = peak
        print(name, results[name], file=sys.stderr, flush=True)
    return results


def _recorded(function, seen):
    import jax

    def call(*arguments):
        program = jax.jit(function).lower(*arguments).compile()
        plan = program.memory_analysis()
        seen.append(
            plan.argument_size_in_bytes
            + plan.output_size_in_bytes
            + plan.temp_size_in_bytes
            - plan.alias_size_in_bytes
        )
        return program(*arguments)

    return call


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_measured(*map(int, sys.argv[1:]))))
    else:
        print(table(peaks()))
