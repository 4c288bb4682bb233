"""State files of a search that survive a kill at any moment.

Every file is replaced in one step, so it is either the old one or the new
one. `oracle.json` decides what has happened: a trial's own file is written
before it, and counts only as far as `oracle.json` knows of it.
"""

import json
import os

from keras_tuner.engine.trial import Trial

from keras_regopt._files import replaced
from keras_regopt.tuning._keras_tuner import (
    forgotten_state,
    oracle_file,
    project_folder,
    replace_writing,
    run_times,
    set_forgotten_state,
    trial_file,
    waiting_trials,
)

# The key under which our additions stand in Keras Tuner's `oracle.json`.
_EXTRAS = "keras_regopt"


def write_json(path, value):
    """Replaces a JSON file in one step.

    Args:
        path: The file.
        value: What `json.dumps` accepts.
    """
    with (
        replaced(path) as draft,
        open(draft, "w", encoding="utf-8") as file,
    ):
        file.write(json.dumps(value))


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
    replace_writing(
        oracle,
        lambda: write_json(oracle_file(oracle), _oracle_state(oracle)),
        lambda trial: write_json(
            trial_file(oracle, trial.trial_id), trial.get_state()
        ),
    )


def require_empty(oracle):
    """Refuses a project in which trials were run by something else.

    Args:
        oracle: The oracle, with its project's folder set.

    Raises:
        RuntimeError: If its folder holds a state or trials.
    """
    folder = project_folder(oracle)
    for name in sorted(os.listdir(folder)):
        if name == "oracle.json" or name.startswith("trial_"):
            path = os.path.join(folder, name)
            raise unusable(path, "was not written by this tuner")


def require_last(oracle):
    """Refuses to go on with what another process has meanwhile gone on with.

    Args:
        oracle: The oracle, with its project's folder set.

    Raises:
        RuntimeError: If its file tells of other trials than it does itself.
    """
    path = oracle_file(oracle)
    if not os.path.exists(path):
        return
    state = read_json(path)
    own = [oracle.start_order, oracle.end_order]
    if [state.get("start_order"), state.get("end_order")] != own:
        raise RuntimeError(
            f"The trials in {path} are not those that this tuner knows of: "
            "another one has gone on with the project, or a search ended "
            "while it was saved. Make the tuner again."
        )


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
    path = oracle_file(oracle)
    if not os.path.exists(path):
        require_empty(oracle)
        return False
    state = read_json(path)
    try:
        # In the order of their starts: ties and the Bayesian model depend
        # on it. A trial that `oracle.json` does not know had not begun.
        oracle.trials = {
            trial_id: _load_trial(trial_file(oracle, trial_id))
            for trial_id in state["start_order"]
        }
        oracle.set_state(state)
        interrupted = [
            trial.trial_id
            for trial in oracle.ongoing_trials.values()
            if trial.trial_id not in oracle.end_order
            and trial.trial_id not in waiting_trials(oracle)
        ]
        set_forgotten_state(oracle, state[_EXTRAS])
    except (AttributeError, KeyError, TypeError) as error:
        raise unusable(
            path,
            f"does not fit {type(oracle).__name__} ({error!r})",
        ) from error
    waiting_trials(oracle).extend(interrupted)
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
    return run_times(oracle, trial_id)


def _load_trial(path):
    state = read_json(path)
    try:
        return Trial.from_state(state)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise unusable(path, f"is not a trial's ({error!r})") from error


def _oracle_state(oracle):
    """Keras Tuner's state, and what it forgets."""
    return {**oracle.get_state(), _EXTRAS: forgotten_state(oracle)}
