"""What each regularization technique costs, and what it brings.

Cost: time and memory of a whole train step, as ratios to the same step without
the technique, in every mode of every backend; all take turns in one run.
Gain: loss and score on test data that scikit-learn carries, over ten seeds,
each technique at the best of its strengths, against none.
"""

import argparse
import os
import pathlib

# Before Keras is imported, for the second part.
os.environ.setdefault("KERAS_BACKEND", "jax")

from _regularization_cost_page import (
    alone_section,
    cost_page,
    measured_alone,
    measured_costs,
)
from _regularization_gain import TASKS
from _regularization_gain_page import draw, gain_page, gains

DOCS = pathlib.Path(__file__).parents[1] / "docs/benchmarks"
COST, GAIN = DOCS / "regularization_cost.md", DOCS / "regularization_gain.md"


def main():
    arguments = parsed_arguments()
    if "alone" in arguments.parts:
        print(alone_section(measured_alone(arguments.rounds)))
    if "cost" in arguments.parts:
        results = measured_costs(arguments.rounds)
        page = cost_page(results, measured_alone(arguments.rounds))
        finish(COST, page, arguments.write)
    if "gain" in arguments.parts:
        results = {title: gains(title) for title in arguments.tasks}
        finish(GAIN, gain_page(results), arguments.write)
        if arguments.write:
            draw(results, GAIN.with_suffix(".png"))


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=("cost", "gain", "alone"),
        default=("cost", "gain"),
        help="`alone` is a quick part of the cost: the random layers alone",
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--write", action="store_true", help="write the pages into the docs"
    )
    return parser.parse_args()


def finish(path, page, write):
    print(page)
    if write:
        path.write_text(page)


if __name__ == "__main__":
    main()
