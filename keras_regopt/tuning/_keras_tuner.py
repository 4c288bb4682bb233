"""The one module that knows what is private in Keras Tuner.

When a new Keras Tuner moves something, `test_keras_tuner_boundary.py` names
the accessor, and this is the only file to mend.
"""

import os

from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle
from keras_tuner.src.engine.tuner_utils import TunerCallback

__all__ = [
    "TunerCallback",
    "forgotten_state",
    "oracle_file",
    "project_folder",
    "replace_writing",
    "run_times",
    "set_forgotten_state",
    "trial_file",
    "waiting_trials",
]


def project_folder(oracle):
    """The folder of an oracle's project."""
    return oracle._project_dir


def oracle_file(oracle):
    """The path of the file that an oracle keeps its state in."""
    return oracle._get_oracle_fname()


def trial_file(oracle, trial_id):
    """The path of the file that an oracle keeps a trial in."""
    return os.path.join(oracle._get_trial_dir(trial_id), "trial.json")


def replace_writing(oracle, save, save_trial):
    """Replaces what writes the files of one oracle; its class stays as it is.

    Args:
        oracle: A Keras Tuner oracle.
        save: Function without arguments that writes its state.
        save_trial: Function that writes a trial.
    """
    oracle.save = save
    oracle._save_trial = save_trial


def waiting_trials(oracle):
    """The list of the names of the trials that will run once more."""
    return oracle._retry_queue


def run_times(oracle, trial_id):
    """How many times a trial has been run and has failed, 0 for a new one."""
    return oracle._run_times.get(trial_id, 0)


def forgotten_state(oracle):
    """What `Oracle.get_state` of Keras Tuner forgets, as plain values."""
    state = {}
    if isinstance(oracle, GridSearchOracle):
        state["grid_order"] = _linked_ids(oracle._ordered_ids)
        state["grid_next"] = list(oracle._populate_next)
    if isinstance(oracle, BayesianOptimizationOracle):
        random_state = oracle._random_state.get_state(legacy=False)
        random_state["state"]["key"] = random_state["state"]["key"].tolist()
        state["random_state"] = random_state
    return state


def set_forgotten_state(oracle, state):
    """Restores what `forgotten_state` read, after all other state is set."""
    if isinstance(oracle, GridSearchOracle):
        for trial_id in state["grid_order"]:
            oracle._ordered_ids.insert(trial_id)
        oracle._populate_next = list(state["grid_next"])
        # The file was last written just before these were appended.
        oracle._populate_next += [
            trial.trial_id
            for trial in oracle.ongoing_trials.values()
            if trial.trial_id in oracle.end_order
            or trial.trial_id in oracle._retry_queue
        ]
    if isinstance(oracle, BayesianOptimizationOracle):
        oracle._random_state.set_state(state["random_state"])


def _linked_ids(linked):
    ids, index = [], linked._next_index[None]
    while index is not None:
        ids.append(linked._memory[index])
        index = linked._next_index[index]
    return ids
