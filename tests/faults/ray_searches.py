"""Searches with Ray whose workers die on request."""

import glob
import json
import os
import signal
import sys
import threading
import time

import keras
import numpy as np
from sklearn.model_selection import ShuffleSplit

from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.tuning import Range, ray_search

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Y = X[:, :1] - 0.3 * X[:, 1:2]
# Folder of files, each of which is one death of a worker that takes it, and of
# the list of all reports.
DEATHS = "KERAS_REGOPT_TEST_DEATHS"
IN_REPORT, IN_TRAINING = "in_report", "in_training"
REPORTS = "reports.txt"


def build(hp):
    arm()
    rate = hp.Float("rate", 1e-3, 0.3, sampling="log")
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(hp.Choice("units", [3, 4]), "tanh"),
            keras.layers.Dropout(0.3, name="drop"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def arm():
    """Lets this process die in a report, or in the training after it."""
    from ray import tune

    folder, report = os.environ[DEATHS], tune.report
    if getattr(report, "is_deadly", False):
        return

    def deadly(metrics, **options):
        # Of a trial that ends, only the report itself can be hit.
        if metrics["epoch"] > 1 and take(folder, IN_REPORT):
            die_after(0.002)
        note(folder, tune.get_context().get_trial_id(), metrics)
        report(metrics, **options)
        if "outcome" not in metrics and take(folder, IN_TRAINING):
            die_after(0.01)

    deadly.is_deadly = True
    tune.report = deadly


def note(folder, trial, metrics):
    """Notes that a trial reports an epoch, and whether it ends."""
    line = f"{trial} {metrics['epoch']} {int('outcome' in metrics)}\n"
    with open(os.path.join(folder, REPORTS), "a") as file:
        file.write(line)


def take(folder, kind):
    """Takes one of the deaths of a kind, if there is one left."""
    for path in glob.glob(os.path.join(folder, f"{kind}_*")):
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
        return True
    return False


def die_after(seconds):
    def die():
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=die, daemon=True).start()


KINDS = {
    "all": {"scheduler": None, "folds": 2, "num_samples": 5, "epochs": 4},
    # Each of its trials that ends is one of the search above.
    "asha": {"scheduler": "asha", "folds": 2, "num_samples": 5, "epochs": 4},
    "pbt": {
        "scheduler": "pbt",
        "folds": ShuffleSplit(1, random_state=0),
        "num_samples": 4,
        "epochs": 8,
        "population": {
            "drop.rate": Range(0.1, 0.6),
            "learning_rate": Range(1e-3, 0.1, log=True),
        },
        "scheduler_options": {"perturbation_interval": 2},
    },
}


def search(folder, kind):
    """Runs a search and writes down what it has found."""
    found = ray_search(
        build,
        None,
        (X, Y),
        storage_path=folder,
        callbacks=[ReduceLROnPlateau("val_loss", factor=0.5, patience=1)]
        if kind != "pbt"
        else [],
        batch_size=8,
        max_failures=20,
        verbose=0,
        init={"num_cpus": 2, "object_store_memory": 100_000_000},
        **KINDS[kind],
    )
    with open(os.path.join(folder, "found.json"), "w") as file:
        json.dump(list(found), file)


if __name__ == "__main__":
    # Workers import this module by its name.
    import ray_searches

    ray_searches.search(*sys.argv[1:])
