"""Whether each check finds its planted fault, and is silent on healthy models.

    python benchmarks/bench_checks.py --seeds 0,1 --minutes 3
    python benchmarks/bench_checks.py --cost
    python benchmarks/bench_checks.py --table

Each run is appended to a file, and what stands there is not run again, so that
small pieces add up to one table. The faults and the models are those of
tests/diagnosis/check_cases.py.
"""

import os

# Before Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

import argparse
import json
import pathlib
import runpy
import time

import keras
from _pages import filled, table, versions

from keras_regopt.diagnosis import check

ROOT = pathlib.Path(__file__).parent.parent
_CASES = runpy.run_path(str(ROOT / "tests" / "diagnosis" / "check_cases.py"))
HEALTHY = _CASES["HEALTHY"] | _CASES["TRAINED"]
PLANTED = _CASES["PLANTED"]
digits = _CASES["digits"]

RESULTS = ROOT / "docs" / "benchmarks" / "checks.jsonl"
PAGE = RESULTS.with_suffix(".md")
BACKEND = keras.backend.backend()


def results():
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text().splitlines()]


def write(**result):
    with RESULTS.open("a") as file:
        file.write(json.dumps({"backend": BACKEND, **result}) + "\n")


def run(seeds, minutes, only=""):
    """Runs what has not been run on this backend, as long as time is left."""
    end = time.perf_counter() + 60 * minutes
    known = {(r["backend"], r["name"], r.get("seed")) for r in results()}
    names = only.split(",") if only else [*PLANTED, *HEALTHY]
    for seed in seeds:
        for name in names:
            if (BACKEND, name, seed) in known:
                continue
            if time.perf_counter() > end:
                return
            keras.utils.set_random_seed(seed)
            wanted, function = PLANTED.get(name, (None, HEALTHY.get(name)))
            case = function(seed)
            checks = "all" if wanted is None else [wanted]
            result = check(
                case.model, case.x, case.y, checks=checks, **case.options
            )
            alarms = [f.check for f in result.alarms]
            found = bool(result.of(wanted)) if wanted else bool(alarms)
            write(
                name=name, seed=seed, check=wanted, found=found, alarms=alarms
            )
            print(BACKEND, seed, name, "found" if found else "-", alarms)


def cost():
    """All checks against 20 epochs of a convolutional net on 20,000 rows."""
    import numpy as np

    rows = np.random.default_rng(0).integers(0, 1500, 20000)
    x, y = digits()
    x, y = x.reshape(-1, 8, 8, 1), y
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    dev = x[1500:], y[1500:]
    # Noise, so that no two rows are the same.
    noise = np.random.default_rng(1).normal(scale=0.1, size=(20000, 8, 8, 1))
    start = time.process_time()
    check(model, x[rows] + noise, y[rows], dev=dev)
    checks = time.process_time() - start
    start = time.process_time()
    # Two of the twenty epochs.
    model.fit(x[rows] + noise, y[rows], epochs=2, verbose=0)
    fit = 10 * (time.process_time() - start)
    write(name="cost", seed=None, checks=round(checks, 1), fit=round(fit, 1))
    print(f"{BACKEND}: checks {checks:.1f} s, 20 epochs {fit:.1f} s of CPU")


def page():
    """Writes the table of what stands in the file."""
    lines = results()
    ran = [r for r in lines if r["name"] != "cost"]
    backends = sorted({r["backend"] for r in ran})

    def counts(name, backend):
        found = [
            r["found"]
            for r in ran
            if r["name"] == name and r["backend"] == backend
        ]
        return f"{sum(found)} of {len(found)}" if found else "not run"

    planted = [
        [name, check, *(counts(name, b) for b in backends)]
        for name, (check, _) in PLANTED.items()
    ]
    healthy = [[name, *(counts(name, b) for b in backends)] for name in HEALTHY]
    costs = [
        [r["backend"], f"{r['checks']}", f"{r['fit']}",
         f"{r['checks'] / r['fit']:.1%}"]
        for r in lines
        if r["name"] == "cost"
    ]  # fmt: skip
    PAGE.write_text(
        "# Checks: planted faults and healthy models\n\n"
        + filled(
            """
            Written by `make bench-checks`, from what
            `benchmarks/bench_checks.py` has added to `checks.jsonl`; each
            seed makes another split, other weights and another fault. The
            thresholds of the checks were tuned on seeds 0, 1, 100 to 105 and
            200 to 204; the table is of others, from 2 on.

            The names with `found_rate` have the rate that
            `find_learning_rate` suggests, times 100 or over 1,000; the other
            rates are planted around that of the model. The first version of
            the check had missed a hundred times Adam's 0.001 on seed 0, and
            the second a hundred times the suggestion for `SGD` on seeds 100
            and 101. The healthy models whose name ends with `trained` were
            trained for six epochs. On the tuning seeds, `calibration` had
            alarmed on 4 of 100 of these, each a residual net whose moving
            statistics lagged behind (half of the dev rows wrong, and most of
            the training batches right); that is told as such, by a note.
            On JAX, `rate_too_low_sgd` was missed on seeds 4, 7 and 9, until
            `learning_rate` made 32 steps where weights stand still: its row
            there is of seeds 12 to 21. On TensorFlow, `calibration` alarmed on
            `residual_trained` of seed 9 (right on 35 % of its rows, and on
            54 % in training mode), until a smaller lag counted as one: that
            row, too, is of seeds 12 to 21.

            Notes are not counted as alarms: after six epochs most nets are
            too unsure, and some classes are harder than others.
            """
        )
        + f"\n\n{versions('keras', 'numpy', 'scikit-learn')}.\n\n"
        + "## Planted faults, and how often the check found them\n\n"
        + table(["fault", "check", *backends], planted)
        + "\n\n## Healthy models, and how often any check alarmed\n\n"
        + table(["model", *backends], healthy)
        + "\n\n## Cost of all checks\n\n"
        + filled(
            """
            CPU seconds of all checks, and of 20 epochs (ten times those of
            two) of a small convolutional net on 20,000 images of 8 by 8. The
            cost does not grow with the data beyond 2,000 rows, but a fit of a
            few hundred rows is over sooner than its checks.
            """
        )
        + "\n\n"
        + table(["backend", "checks", "20 epochs", "part"], costs)
        + "\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default=",".join(map(str, range(2, 12))))
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--only", default="", help="names of cases")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.cost:
        cost()
    elif options.table:
        page()
    else:
        seeds = [int(seed) for seed in options.seeds.split(",")]
        run(seeds, options.minutes, options.only)
        page()
