"""How the objective of each trial went, epoch by epoch.

Each trial has a file of its own, so that processes that share the folder can
compare with trials that still run.
"""

import glob
import math
import os

import numpy as np
from keras_tuner.engine.trial import TrialStatus

from keras_regopt.tuning._keras_tuner import trial_file
from keras_regopt.tuning._state import read_json, write_json

_FILE = "curves.json"
# The metric of a pruned trial that tells how it stood.
SHARE = "better_when_pruned"


class Curve:
    """The objective of a model in training, as losses by epoch.

    Args:
        losses: Dict of the epochs, as strings, and the losses.
        pruned: The epoch, from 0, that pruning ended it in, or `None`.
        share: Which share of the others was better then, or `None`.
        ended: Whether its training is over.
    """

    def __init__(self, losses=None, pruned=None, share=None, ended=False):
        self.losses = losses or {}
        self.pruned = pruned
        self.share = share
        self.ended = ended

    def best(self, epoch):
        """The lowest loss up to an epoch, or `None` if it did not get there.

        A training that ended by itself counts on with its lowest one.
        """
        reached = {int(e): loss for e, loss in self.losses.items()}
        over = self.ended and self.pruned is None
        if not reached or (max(reached) < epoch and not over):
            return None
        found = [loss for e, loss in reached.items() if e <= epoch]
        finite = [loss for loss in found if not math.isnan(loss)]
        return min(finite, default=math.inf)


def write_curve(folder, slot, curve):
    """Saves a curve.

    Args:
        folder: The trial's folder.
        slot: Which of the trial's models it is of, a string.
        curve: The `Curve`.
    """
    curves = {**_read(os.path.join(folder, _FILE)), slot: vars(curve)}
    write_json(os.path.join(folder, _FILE), curves)


def other_bests(folder, slot, epoch):
    """The lowest losses of the other trials up to an epoch.

    Args:
        folder: The trial's folder.
        slot: Which of a trial's models is compared.
        epoch: The epoch, from 0.

    Returns:
        A list of those that got there. A trial that was pruned before counts
        as infinite: it was worse, and those that are left are the better ones.
    """
    project = os.path.dirname(os.path.abspath(folder))
    own = os.path.abspath(os.path.join(folder, _FILE))
    found = []
    for path in sorted(glob.glob(os.path.join(project, "trial_*", _FILE))):
        if path == own:
            continue
        curves = {name: Curve(**c) for name, c in _read(path).items()}
        best = curves.get(slot, Curve()).best(epoch)
        if best is None and _pruned(curves):
            best = math.inf
        found += [] if best is None else [best]
    return found


def pruned_curve(folder):
    """The curve of a trial that was pruned, or `None`."""
    curves = _read(os.path.join(folder, _FILE))
    return _pruned({name: Curve(**c) for name, c in curves.items()})


def end_pruned(oracle, trial):
    """Has a trial end without a score, if it was pruned.

    Args:
        oracle: The oracle.
        trial: The `Trial`, which has succeeded or failed.
    """
    if trial.status != TrialStatus.COMPLETED:
        return
    folder = os.path.dirname(trial_file(oracle, trial.trial_id))
    curve = pruned_curve(folder)
    if curve is None:
        return
    trial.status = TrialStatus.STOPPED
    trial.message = f"pruned after epoch {curve.pruned + 1}"
    metrics = oracle.trials[trial.trial_id].metrics
    metrics.update(SHARE, curve.share, step=curve.pruned)


def better_share(trial):
    """Which share of the others was better when a trial was pruned.

    Args:
        trial: The `Trial`.

    Returns:
        A number in 0..1, or `None` if it was not pruned.
    """
    if trial.status != TrialStatus.STOPPED or not trial.metrics.exists(SHARE):
        return None
    return trial.metrics.get_best_value(SHARE)


def share_of_better(loss, others):
    """Which share of some losses is lower than one."""
    return float(np.mean(np.array(others) < loss))


def _pruned(curves):
    pruned = [c for c in curves.values() if c.pruned is not None]
    return pruned[0] if pruned else None


def _read(path):
    return read_json(path) if os.path.exists(path) else {}
