"""Random geometry on images: one RandomAffine against four layers of Keras.

Both sides run by turns in one process, so that the ratio holds although
absolute figures differ from machine to machine.
"""

import argparse
import pathlib
import statistics
import time

import keras
import numpy as np
import tensorflow as tf

from keras_regopt.augmentation import RandomAffine

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "benchmarks" / "images.md"


def main():
    arguments = parsed_arguments()
    size, batch = arguments.size, arguments.batch
    images = np.random.default_rng(0).uniform(0, 255, (batch, size, size, 3))
    rows = []
    for dtype in ("float32", "uint8"):
        typed = images.astype(dtype)
        for mode, prepare in MODES.items():
            steps = [prepare(layer(), typed) for layer in (theirs, ours)]
            times = interleaved(steps, arguments.repeats)
            rows.append(row(f"{mode}, {dtype}", times, batch))
            print(rows[-1], flush=True)
    report = table(rows, size, batch)
    print(report)
    if arguments.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(report)


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--write", action="store_true", help=f"write the table to {PAGE.name}"
    )
    return parser.parse_args()


def ours():
    return RandomAffine("horizontal", 0.05, 0.1, 0.1, seed=0)


def theirs():
    # The container of Keras that runs in tf.data on every backend.
    return keras.layers.Pipeline(
        [
            keras.layers.RandomFlip("horizontal", seed=0),
            keras.layers.RandomRotation(0.05, seed=0),
            keras.layers.RandomZoom(0.1, seed=0),
            keras.layers.RandomTranslation(0.1, 0.1, seed=0),
        ]
    )


def eager(layer, images):
    images = keras.ops.convert_to_tensor(images)
    return lambda: keras.ops.convert_to_numpy(layer(images, training=True))


def in_tf_data(layer, images):
    dataset = tf.data.Dataset.from_tensors(images).repeat()
    # Work done ahead would be counted in the other's turn.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.inject_prefetch = False
    dataset = dataset.with_options(options)
    batches = iter(dataset.map(lambda x: layer(x, training=True)))
    return lambda: next(batches)


def compiled(layer, images):
    images = tf.constant(images)
    step = tf.function(
        lambda x: layer(x, training=True), jit_compile=True, autograph=False
    )
    return lambda: step(images).numpy()


MODES = {"eager": eager, "tf.data": in_tf_data}
if keras.backend.backend() == "tensorflow":
    MODES["jit_compile=True"] = compiled


def interleaved(steps, repeats):
    """Medians of the CPU seconds of each step, `None` where one fails."""
    times = [[] for _ in steps]
    for turn in range(repeats + 1):
        for step, taken in zip(steps, times, strict=True):
            if taken is None or None in taken:
                continue
            before = time.process_time()
            try:
                step()
            except Exception:
                taken.append(None)
            else:
                # The first turn compiles and does not count.
                taken.extend([time.process_time() - before] * bool(turn))
    return [None if None in t else statistics.median(t) for t in times]


def row(name, times, batch):
    rates = ["fails" if t is None else f"{batch / t:,.0f}" for t in times]
    ratio = "" if None in times else f"{times[0] / times[1]:.1f}"
    return "| " + " | ".join([name, *rates, ratio]) + " |"


def table(rows, size, batch):
    head = [
        "# Images",
        "",
        "Horizontal flip, rotation, zoom and translation: images per CPU "
        f"second, in batches of {batch} of {size} x {size} x 3, medians of "
        f"turns in one process, Keras {keras.__version__} on "
        f"{keras.backend.backend()}, one thread. `make bench` repeats it.",
        "",
        "| mode | four layers of Keras | RandomAffine | ratio |",
        "|---|---:|---:|---:|",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    main()
