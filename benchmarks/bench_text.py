"""The speed of text augmentation, next to plain loops and to nlpaug.

Each backend is in a process of its own, one thread, and the contenders take
turns. CPU time of a batch of texts, as how many times as many texts we augment
in a second. Without nlpaug its column stays empty: `pip install --no-deps
nlpaug==1.1.11`.
"""

import argparse
import pathlib

from _pages import filled, table, versions
from _workers import Workers

PAGE = pathlib.Path(__file__).parents[1] / "docs/benchmarks/text_speed.md"
BACKENDS = ("tensorflow", "jax", "torch")
MODES = ("tf.data", "TF graph", "JAX", "torch")
OURS, LOOP, NLPAUG = "keras_regopt", "a loop", "nlpaug"
TOKENS = (
    "RandomTokenSwap",
    "RandomTokenDeletion",
    "RandomTokenInsertion",
    "SynonymReplacement",
    "RandomTokenReplacement",
    "TokenMasking",
    "RandomSpanCrop",
    "TokenCutoff",
)


def main():
    arguments = parsed_arguments()
    workers = Workers(BACKENDS, "_text_operations")
    found = {}
    for operation in arguments.operations:
        contenders = {name: name for name in (OURS, LOOP, NLPAUG)}
        task = operation, arguments.batch
        found[operation] = workers.measure(
            contenders, *task, rounds=arguments.rounds
        )
        for mode in MODES:
            values = [ratio(found[operation], mode, x) for x in (LOOP, NLPAUG)]
            print(operation, mode, *map(shown, values), flush=True)
    text = page(found, arguments)
    print(text)
    if arguments.write:
        PAGE.write_text(text)


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--operations", nargs="+", choices=TOKENS, default=TOKENS
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--write", action="store_true", help=f"write {PAGE.name} into the docs"
    )
    return parser.parse_args()


def ratio(times, mode, contender):
    """How many times as many texts we augment as a contender."""
    ours, other = times.get((OURS, mode)), times.get((contender, mode))
    return other / ours if ours and other else None


def shown(value):
    return "" if value is None else f"{value:.1f}"


def page(found, arguments):
    introduction = f"""
    Texts for each CPU second, as multiples of what a plain loop over lists of
    Python, and nlpaug 1.1.11 on as many words, augment of them: above 1 is
    better. Batches of {arguments.batch} texts of 60 to 128 tokens, one thread;
    medians of {arguments.rounds} turns, in which the contenders follow one
    another. "tf.data" is `dataset.map(layer)`, "TF graph" a `tf.function`,
    "JAX" and "torch" are eager calls. `make bench-text` repeats it;
    {versions("keras", "tensorflow", "jax", "torch")}."""
    parts = ["# Speed of text augmentation", filled(introduction)]
    for contender, title in (
        (LOOP, "Token ids, against a plain loop"),
        (NLPAUG, "Token ids, against nlpaug on words"),
    ):
        rows = [
            [name, *(shown(ratio(times, m, contender)) for m in MODES)]
            for name, times in found.items()
            if any(ratio(times, m, contender) for m in MODES)
        ]
        if rows:
            parts += [f"## {title}", table(["layer", *MODES], rows)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
