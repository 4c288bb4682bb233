"""How near search engines come to the optimum in 50 trials.

    python benchmarks/bench_tuning.py --engines "ours;TPE" --problems Branin
    python benchmarks/bench_tuning.py --table
    python benchmarks/bench_tuning.py --late

Each run is appended to a file, so that small pieces add up to one table.
"""

import os

# Before Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

import argparse
import importlib.util
import json
import pathlib
import tempfile
import time

import keras_tuner
import numpy as np
from _pages import table
from _tuning_problems import PROBLEMS

from keras_regopt.tuning import BayesianOracle, RandomOracle

OBJECTIVE = keras_tuner.Objective("score", "min")


class OfKerasTuner:
    """An oracle, asked for trials and told of their results, without files."""

    def __init__(self, oracle):
        self._oracle = oracle
        oracle.verbose = 0
        oracle._set_project_dir(tempfile.mkdtemp(), "project")
        oracle.save = lambda: None
        oracle._save_trial = lambda trial: None

    def ask(self):
        self._trial = self._oracle.create_trial("tuner0")
        return self._trial.hyperparameters.values

    def tell(self, score):
        self._oracle.update_trial(self._trial.trial_id, {"score": score})
        self._trial.status = "COMPLETED"
        self._oracle.end_trial(self._trial)


class OfOptuna:
    """A sampler of Optuna, on a space of Keras Tuner."""

    def __init__(self, sampler, space):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._study = optuna.create_study(sampler=sampler)

    def ask(self):
        self._trial = self._study.ask()
        values = {}
        for hp in self._space:
            if all(c.is_active(values) for c in hp.conditions):
                values[hp.name] = self._suggest(hp)
        return values

    def _suggest(self, hp):
        if hasattr(hp, "ordered"):
            return self._trial.suggest_categorical(hp.name, hp.values)
        whole = isinstance(hp.default, int)
        suggest = getattr(
            self._trial, "suggest_" + ("int" if whole else "float")
        )
        bounds = hp.min_value, hp.max_value
        return suggest(hp.name, *bounds, log=hp.sampling == "log")

    def tell(self, score):
        self._study.tell(self._trial, score)


def engine(name, space, seed, trials):
    options = {"hyperparameters": space, "max_trials": trials}
    # Keras Tuner's neighboring seeds overlap, and 0 is none.
    theirs = {**options, "seed": 1 + 100_003 * seed}
    oracles = keras_tuner.oracles
    if name == "ours":
        return OfKerasTuner(BayesianOracle(OBJECTIVE, seed=seed, **options))
    if name == "ours, random":
        return OfKerasTuner(RandomOracle(OBJECTIVE, seed=seed, **options))
    if name == "Keras Tuner, random":
        return OfKerasTuner(oracles.RandomSearchOracle(OBJECTIVE, **theirs))
    if name == "Keras Tuner, Bayesian":
        oracle = oracles.BayesianOptimizationOracle(OBJECTIVE, **theirs)
        return OfKerasTuner(oracle)
    import optuna

    kinds = {"TPE": "TPESampler", "Optuna's GP": "GPSampler"}
    sampler = getattr(optuna.samplers, kinds[name])(seed=seed)
    return OfOptuna(sampler, space.space)


ENGINES = (
    "ours",
    "ours, random",
    "Keras Tuner, random",
    "Keras Tuner, Bayesian",
    "TPE",
    "Optuna's GP",
)


def run(name, problem, seed, trials):
    """The regret after all trials, and the CPU seconds of the engine alone."""
    function, fill = PROBLEMS[problem]
    space = keras_tuner.HyperParameters()
    fill(space)
    start = time.process_time()
    search = engine(name, space, seed, trials)
    seconds = time.process_time() - start
    scores = []
    for _ in range(trials):
        start = time.process_time()
        values = search.ask()
        seconds += time.process_time() - start
        scores.append(float(function(values)))
        start = time.process_time()
        search.tell(scores[-1])
        seconds += time.process_time() - start
    return min(scores), seconds


def late(problem="conditional", trials=300):
    """Prints what late trials of our oracle cost, as early ones do."""
    function, fill = PROBLEMS[problem]
    space = keras_tuner.HyperParameters()
    fill(space)
    search = engine("ours", space, 0, trials)
    seconds = []
    for _ in range(trials):
        start = time.process_time()
        values = search.ask()
        seconds.append(time.process_time() - start)
        search.tell(float(function(values)))
    early, end = sum(seconds[50:100]), sum(seconds[250:300])
    print(
        f"{problem}: trials 51 to 100 {early:.2f} CPU s, 251 to 300 {end:.2f}, "
        f"{end / early:.1f} times"
    )


def show(path):
    """Prints a table of all runs in a file."""
    runs = [json.loads(line) for line in path.read_text().splitlines()]
    for problem in PROBLEMS:
        rows = []
        for name in ENGINES:
            # A run that was repeated counts once.
            found = {
                r["seed"]: r
                for r in runs
                if (r["engine"], r["problem"]) == (name, problem)
            }
            if found:
                regrets = [r["regret"] for r in found.values()]
                seconds = np.median([r["seconds"] for r in found.values()])
                middle, high = np.percentile(regrets, [50, 90])
                numbers = (f"{middle:.2g}", f"{high:.2g}", f"{seconds:.1f}")
                rows.append([name, str(len(found)), *numbers])
        head = ["engine", "seeds", "median", "90th percentile", "CPU s"]
        print(f"\n{problem}\n\n{table(head, rows)}" if rows else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engines", default=";".join(ENGINES))
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--file", default="bench_tuning.jsonl")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--late", action="store_true", help="only its CPU time")
    options = parser.parse_args()
    path, first = pathlib.Path(options.file), options.first_seed
    if options.late:
        late()
        return
    has_optuna = importlib.util.find_spec("optuna") is not None
    for problem in [] if options.table else options.problems.split(","):
        for name in options.engines.split(";"):
            if name in ENGINES[4:] and not has_optuna:
                print(f"{name}: Optuna is not installed.")
                continue
            for seed in range(first, first + options.seeds):
                regret, seconds = run(name, problem, seed, options.trials)
                record = {
                    "engine": name,
                    "problem": problem,
                    "seed": seed,
                    "regret": regret,
                    "seconds": seconds,
                }
                with path.open("a") as file:
                    file.write(json.dumps(record) + "\n")
    show(path)


if __name__ == "__main__":
    main()
