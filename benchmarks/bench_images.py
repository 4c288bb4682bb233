"""Augmentation of images: ours against Keras', albumentations', torchvision's.

All contenders take turns, each library in a process of its own, one thread;
CPU seconds, medians. The ratios hold although absolute figures differ from
machine to machine. With `--device gpu`, ours on it against kornia.
"""

import argparse
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
            print(f"Without {peer}, which {reason}.", REMEDY, flush=True)
    results = measured(arguments, names, [p for p in PEERS if not absent[p]])
    shapes, peaks = lone_measurements() if arguments.alone else ((), "")
    text = page(results, absent, shapes, peaks, arguments.batch)
    print(text)
    if arguments.write:
        PAGE.write_text(text)


REMEDY = "What is needed: pip install 'keras_regopt[bench]'."


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
    """A dict: (name, size, dtype) to times, first calls and memory."""
    workers = Workers([*arguments.backends, *peers], "_image_contenders")
    # Where everything is measured; elsewhere, one backend will do.
    first = (arguments.sizes[0], arguments.dtypes[0])
    results = {}
    for size in arguments.sizes:
        for dtype in arguments.dtypes:
            for name in names:
                extent = "whole" if (size, dtype) == first else "tensorflow"
                if name not in (FLOORS, *MAIN):
                    if extent != "whole" and not arguments.only:
                        continue
                    extent = "brief"
                times = workers.measure(
                    {name: name},
                    size,
                    dtype,
                    arguments.batch,
                    extent,
                    rounds=arguments.rounds,
                )
                key = Key(name, size, dtype)
                results[key] = {
                    mode: (seconds, workers.firsts[name, mode])
                    for (_, mode), seconds in times.items()
                }
                print(on_screen(key, results[key], arguments.batch), flush=True)
    return results


def lone_measurements():
    """The rows of the table on new shapes, and the table of the memory."""
    import _image_memory
    import _image_shapes

    return _image_shapes.rows(), _image_memory.table(_image_memory.peaks())


if __name__ == "__main__":
    main()
