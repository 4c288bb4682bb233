"""Trials that a few folds show to be worse than the best one."""

import math
import statistics

from keras_tuner.engine.trial import TrialStatus
from scipy.stats import t as student

_CONFIDENCE = 0.95


def imputed_records(tuner, trial, records, data):
    """Records of the folds that a hopeless trial need not train.

    The differences to the best trial, fold by fold, have a mean. If even the
    upper bound of how much better this trial may be is below 0, at 95 %, it is
    hopeless. A fold that it has not trained then counts as that of the best
    trial and the mean difference: some folds are harder than others.

    Args:
        tuner: The tuner.
        trial: The `Trial`.
        records: Its records so far, one a fold.
        data: The folds.

    Returns:
        A list, empty for a trial that is not hopeless, or has ended.
    """
    best = _best_records(tuner, trial)
    if best is None or len(records) < 2 or len(records) == len(data):
        return []
    objective = tuner.oracle.objective
    differences = [
        own["metrics"][objective.name] - other["metrics"][objective.name]
        for own, other in zip(records, best, strict=False)
    ]
    sign = -1 if objective.direction == "max" else 1
    if not _is_worse([sign * d for d in differences], data.test_to_train()):
        return []
    mean = statistics.fmean(differences)
    return [
        {
            "metrics": {
                objective.name: other["metrics"][objective.name] + mean
            },
            "best_epoch": None,
            "imputed": True,
        }
        for other in best[len(records) :]
    ]


def _is_worse(differences, test_to_train):
    """Whether the lower bound of the mean of some differences is above 0.

    The folds have most of their training data in common, so the variance of
    the mean is that of Nadeau and Bengio 2003, Inference for the
    generalization error.
    """
    count = len(differences)
    variance = statistics.variance(differences) * (1 / count + test_to_train)
    margin = student.ppf(_CONFIDENCE, count - 1) * math.sqrt(variance)
    return statistics.fmean(differences) > margin


def _best_records(tuner, trial):
    """The records of the best trial that has trained all folds, or `None`."""
    best = tuner.oracle.get_best_trials(1)
    if not best or best[0].status != TrialStatus.COMPLETED:
        return None
    records = tuner.finished(best[0])
    same = best[0].trial_id == trial.trial_id
    return None if same or any("imputed" in r for r in records) else records
