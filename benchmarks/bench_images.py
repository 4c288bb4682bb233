"""Augmentation of images: ours against Keras', albumentations', torchvision's.

All contenders take turns, one thread: ours and Keras' in one process for each
backend, albumentations in another. CPU seconds, medians. The ratios hold
although absolute figures differ from machine to machine. With `--device gpu`,
ours on it against kornia.
"""

import argparse
import itertools
import os
import pathlib

# Before Keras is imported, for what is not measured in a worker.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from _image_contenders import BACKENDS, FLOORS, PEERS, RANGES, missing
from _image_operations import COMPARISONS, MAIN
from _image_page import Key, on_screen, page
from _workers import Workers

PAGE = pathlib.Path(__file__).parents[1] / "docs/benchmarks/images.md"


def main():
    arguments = parsed_arguments()
    if arguments.device == "gpu":
        import _image_gpu

        _image_gpu.report(
            arguments.only or MAIN,
            arguments.sizes,
            arguments.batch,
            arguments.rounds,
        )
        return
    names = arguments.only or [FLOORS, *MAIN, *other_layers()]
    absent = {peer: missing(peer) for peer in PEERS}
    for peer, reason in absent.items():
        if reason:
            print(f"Without {peer}: {reason}", flush=True)
    shapes, peaks = lone_measurements() if arguments.alone else ((), "")
    peers = [peer for peer in PEERS if not absent[peer]]
    for results in measured(arguments, names, peers):
        text = page(results, absent, shapes, peaks, arguments.batch)
        if arguments.write:
            # At once, since the whole takes a while.
            PAGE.write_text(text)
    print(text)


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", metavar="NAME", help=", ".join(COMPARISONS))
    add("--sizes", nargs="+", type=int, default=(224, 32))
    add("--dtypes", nargs="+", choices=RANGES, default=tuple(RANGES))
    add("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    add("--batch", type=int, default=64)
    add("--rounds", type=int, default=5)
    add("--device", choices=("cpu", "gpu"), default="cpu")
    add(
        "--no-alone",
        dest="alone",
        action="store_false",
        help="leave out new shapes and memory, in which nothing is compared",
    )
    add("--write", action="store_true", help=f"write {PAGE.name}")
    return parser.parse_args()


def other_layers():
    """All that the main comparisons leave out."""
    from keras_regopt import augmentation
    from keras_regopt._registry import registered

    covered = {"RandomAffine", "RandomColor", "RandomErasing", *MAIN}
    classes = registered(augmentation.ImageAugmentation)
    names = {cls.__name__ for cls in classes} | set(COMPARISONS)
    return sorted(n for n in names - covered if hasattr(augmentation, n))


def measured(arguments, names, peers):
    """Yields what is measured so far: times and first calls by `Key`."""
    workers = Workers([*arguments.backends, *peers], "_image_contenders")
    results = {}
    for key, extent in keys(arguments, names):
        times = workers.measure(
            {key.name: key.name},
            key.size,
            key.dtype,
            arguments.batch,
            extent,
            rounds=arguments.rounds,
        )
        results[key] = {
            mode: (seconds, workers.firsts[name, mode])
            for (name, mode), seconds in times.items()
        }
        print(on_screen(key, results[key], arguments.batch), flush=True)
        yield results


def keys(arguments, names):
    """What is to be measured, and how much of it."""
    kinds = itertools.product(arguments.sizes, arguments.dtypes)
    for number, (size, dtype) in enumerate(kinds):
        for name in names:
            key = Key(name, size, dtype)
            if name in (FLOORS, *MAIN):
                # On each backend once.
                yield key, "tensorflow" if number else "whole"
            elif not number or arguments.only:
                yield key, "brief"


def lone_measurements():
    """The rows of the table on new shapes, and the table of the memory."""
    import _image_memory
    import _image_shapes

    return _image_shapes.rows(), _image_memory.table(_image_memory.peaks())


if __name__ == "__main__":
    main()
