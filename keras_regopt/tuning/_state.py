"""State files of a search that survive a kill at any moment.

Every file is replaced in one step, so it is either the old one or the new
one. `oracle.json` decides what has happened: a trial's own file is written
before it, and counts only as far as `oracle.json` knows of it.
"""

import json
import os

from keras_tuner.engine.trial import Trial
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle

# The key under which our additions stand in Keras Tuner's `oracle.json`.
_EXTRAS = "keras_regopt"


def write_json(path, value):
    """Replaces a JSON file in one step.

    Args:
        path: The file.
        value: What `json.dumps` accepts.
    """
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(json.dumps(value))
        file.flush()
        # Otherwise a power cut may leave the new name on an empty file.
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_json(path):
    """Reads a JSON file of the search.

    Args:
        path: The file.

    Returns:
        The dict that the file holds.

    Raises:
        RuntimeError: If the file is missing, or does not hold a JSON object.
    """
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except FileNotFoundError:
        raise unusable(path, "is missing") from None
    except ValueError as error:
        raise unusable(path, f"is no valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise unusable(path, "does not hold a JSON object")
    return value


def unusable(path, reason):
    """The error about a state file.

    Args:
        path: The file.
        reason: What is wrong with it, as the end of the sentence.

    Returns:
        The exception to raise.
    """
    return RuntimeError(
        f"The search cannot go on: its state file {path} {reason}. "
        "Restore the file, give another `project_name`, or pass "
        "`overwrite=True` to delete the project and start again."
    )


def require_same(folder, before, now):
    """Refuses to go on with a project that was begun otherwise.

    Args:
        folder: The project's folder.
        before: Dict of names and values that its results were made with.
        now: Dict of names and values of this run.

    Raises:
        ValueError: If they differ.
    """
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"`{name}` must be {before.get(name)!r}, which the finished "
                f"trials in {folder} were made with. "
                f"Received: {name}={now.get(name)!r}. To start a new search, "
                "give another `project_name` or pass `overwrite=True`."
            )


def keep_safely(oracle):
    """Makes an oracle write its files in one step each.

    Args:
        oracle: A Keras Tuner oracle. Only this object changes, not its class.
    """
    oracle.save = lambda: write_json(
        oracle._get_oracle_fname(), _oracle_state(oracle)
    )
    oracle._save_trial = lambda trial: write_json(
        _trial_path(oracle, trial.trial_id), trial.get_state()
    )


def require_empty(oracle):
    """Refuses a project in which trials were run by something else.

    Args:
        oracle: The oracle, with its project's folder set.

    Raises:
        RuntimeError: If its folder holds a state or trials.
    """
    for name in sorted(os.listdir(oracle._project_dir)):
        if name == "oracle.json" or name.startswith("trial_"):
            path = os.path.join(oracle._project_dir, name)
            raise unusable(path, "was not written by this tuner")


def load_oracle(oracle):
    """Puts an oracle back to where its files say that it was.

    Args:
        oracle: The oracle, fresh, with its project's folder set.

    Returns:
        Whether there was a state: none where the kill came so early that
        no trial had begun.

    Raises:
        RuntimeError: If a file is damaged or of another kind of oracle.
    """
    path = oracle._get_oracle_fname()
    if not os.path.exists(path):
        require_empty(oracle)
        return False
    state = read_json(path)
    try:
        # In the order of their starts: ties and the Bayesian model depend
        # on it. A trial that `oracle.json` does not know had not begun.
        oracle.trials = {
            trial_id: _load_trial(_trial_path(oracle, trial_id))
            for trial_id in state["start_order"]
        }
        oracle.set_state(state)
        interrupted = [
            trial.trial_id
            for trial in oracle.ongoing_trials.values()
            if trial.trial_id not in oracle.end_order
            and trial.trial_id not in oracle._retry_queue
        ]
        _set_extras(oracle, state[_EXTRAS])
    except (AttributeError, KeyError, TypeError) as error:
        raise unusable(
            path,
            f"does not fit {type(oracle).__name__} ({error!r})",
        ) from error
    oracle._retry_queue.extend(interrupted)
    oracle.ongoing_trials = {}
    return True


def attempt(oracle, trial_id):
    """How many times a trial has failed before.

    Args:
        oracle: The oracle.
        trial_id: The trial.

    Returns:
        An `int`, 0 for the first attempt.
    """
    return oracle._run_times.get(trial_id, 0)


def _trial_path(oracle, trial_id):
    return os.path.join(oracle._get_trial_dir(trial_id), "trial.json")


def _load_trial(path):
    state = read_json(path)
    try:
        return Trial.from_state(state)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise unusable(path, f"is not a trial's ({error!r})") from error


def _oracle_state(oracle):
    """Keras Tuner's state, and what it forgets."""
    extras = {}
    if isinstance(oracle, GridSearchOracle):
        extras["grid_order"] = _linked_ids(oracle._ordered_ids)
        extras["grid_next"] = list(oracle._populate_next)
    if isinstance(oracle, BayesianOptimizationOracle):
        random_state = oracle._random_state.get_state(legacy=False)
        random_state["state"]["key"] = random_state["state"]["key"].tolist()
        extras["random_state"] = random_state
    return {**oracle.get_state(), _EXTRAS: extras}


def _set_extras(oracle, extras):
    if isinstance(oracle, GridSearchOracle):
        for trial_id in extras["grid_order"]:
            oracle._ordered_ids.insert(trial_id)
        oracle._populate_next = list(extras["grid_next"])
        # The file was last written just before these were appended.
        oracle._populate_next += [
            trial.trial_id
            for trial in oracle.ongoing_trials.values()
            if trial.trial_id in oracle.end_order
            or trial.trial_id in oracle._retry_queue
        ]
    if isinstance(oracle, BayesianOptimizationOracle):
        oracle._random_state.set_state(extras["random_state"])


def _linked_ids(linked):
    ids, index = [], linked._next_index[None]
    while index is not None:
        ids.append(linked._memory[index])
        index = linked._next_index[index]
    return ids
