"""The file of a trial with a record of every finished fold."""

import os

import keras_tuner

from keras_regopt.tuning._state import read_json, unusable, write_json


def write_records(path, trial, attempt, records):
    """Saves the records of a trial so far, in one step.

    Args:
        path: The file.
        trial: The `Trial`.
        attempt: How many times the trial has failed before.
        records: List of dicts with `"metrics"` and `"best_epoch"`.
    """
    content = {
        "attempt": attempt,
        # With those that the model has asked for while it was built.
        "hyperparameters": trial.hyperparameters.get_config(),
        "folds": records,
    }
    write_json(path, content)


def resume_records(path, trial, attempt):
    """The records that an interrupted trial has left.

    Args:
        path: The file.
        trial: The `Trial`; it gets the hyperparameters that its model had
            asked for.
        attempt: How many times the trial has failed before.

    Returns:
        A list, empty where the trial or this attempt at it begins.

    Raises:
        RuntimeError: If the file is damaged.
    """
    if not os.path.exists(path):
        return []
    content = read_json(path)
    try:
        config = content["hyperparameters"]
        same = content["attempt"] == attempt and all(
            config["values"].get(name) == value
            for name, value in trial.hyperparameters.values.items()
        )
        if not same:
            return []
        hyperparameters = keras_tuner.HyperParameters.from_config(config)
        records = list(content["folds"])
    except (AttributeError, KeyError, TypeError) as error:
        raise _foreign(path, error) from error
    trial.hyperparameters = hyperparameters
    return records


def finished_records(path):
    """All records of a finished trial; an error if the file is damaged."""
    try:
        return read_json(path)["folds"]
    except KeyError as error:
        raise _foreign(path, error) from error


def _foreign(path, error):
    return unusable(path, f"does not hold the folds of a trial ({error!r})")
