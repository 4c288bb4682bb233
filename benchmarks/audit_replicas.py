"""Trains everything of this package on several devices, and compares.

On TensorFlow under `MirroredStrategy`, on JAX under `DataParallel` and
`ModelParallel`, all of them on parts of the CPU. The weights and the history
are those of one device where nothing is drawn; else the copies of the weights
agree, and all is finite. Prints a Markdown table, a line as soon as it is
known, and ends with an error if there is a fault.

    KERAS_BACKEND=jax python benchmarks/audit_replicas.py --kinds layers
"""

import argparse
import itertools
import os
import re
import sys
import time
import warnings

DEVICES = 4
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        f"--xla_force_host_platform_device_count={DEVICES}",
    ]
)

import keras  # noqa: E402
from _replica_cases import KINDS, cases  # noqa: E402
from _replica_runs import Comparison  # noqa: E402

WAYS = {
    "tensorflow": [("Mirrored", 2), ("Mirrored", 4)],
    "jax": [("DataParallel", DEVICES), ("ModelParallel", DEVICES)],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    backend = keras.backend.backend()
    if backend not in WAYS:
        parser.exit(message=f"Keras trains on one device on {backend}.\n")
    ways = {f"{kind}-{count}": (kind, count) for kind, count in WAYS[backend]}
    for name, known in (
        ("kinds", KINDS),
        ("ways", ways),
        ("jit", ("no", "yes")),
    ):
        parser.add_argument(
            f"--{name}", nargs="*", choices=list(known), default=list(known)
        )
    parser.add_argument("--only", default="", help="part of the names of cases")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if backend == "tensorflow":
        split_cpu()
    print(f"Keras {keras.__version__}, {backend}\n")
    print("| kind | case | replicas | jit | result | s |")
    print("| --- | --- | --- | --- | --- | --- |")
    bad = 0
    tried = list(usable(ways, itertools.product(given.ways, given.jit)))
    for kind in given.kinds:
        for case in cases(kind):
            if given.only not in case.name:
                continue
            comparison = Comparison(case, DEVICES)
            for way, jit in tried:
                cells = (kind, case.name, way, jit)
                bad += audited(comparison, ways[way], cells)
    sys.exit(bool(bad))


def usable(ways, pairs):
    """The ways, jitted or not, that a layer of Keras' own can be trained in.

    TensorFlow, for one, compiles no step over several CPUs.
    """
    layer, *_ = cases("layers")
    comparison = Comparison(layer, DEVICES)
    for way, jit in pairs:
        try:
            comparison.verdict(*ways[way], jit == "yes")
        except Exception as error:
            words = in_words(error).removeprefix("FAULT: ")
            why = f"skipped, since Keras fails: {words}"
            print(f"| all | all | {way} | {jit} | {why} | |", flush=True)
        else:
            yield way, jit


def split_cpu():
    import tensorflow as tf

    part = tf.config.LogicalDeviceConfiguration()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [part] * DEVICES)


def audited(comparison, way, cells):
    """Prints the line of a case; returns whether it has a fault."""
    start = time.time()
    try:
        result = comparison.verdict(*way, cells[-1] == "yes")
    except Exception as error:
        result = in_words(error)
    seconds = f"{time.time() - start:.0f}"
    print("| " + " | ".join((*cells, result, seconds)) + " |", flush=True)
    return result.startswith("FAULT")


def in_words(error):
    """A refusal, which names its argument, or a fault."""
    text = re.sub(r"[\s|]+", " ", str(error))[:160]
    if isinstance(error, ValueError) and re.match(r"`\w+` of \w+ must", text):
        return f"refused: {text}"
    return f"FAULT: {type(error).__name__}: {text}"


if __name__ == "__main__":
    main()
