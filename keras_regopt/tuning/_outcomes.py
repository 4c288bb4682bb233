"""What the trials of a search have come to."""

from keras_tuner.engine.trial import TrialStatus

from keras_regopt.tuning._progress import reason_of
from keras_regopt.tuning.asha_oracle import AshaOracle


def failure(tuner):
    """Why no trial of a search has succeeded.

    Args:
        tuner: The tuner.

    Returns:
        Sentences, or `None` if one has, or none has ended.
    """
    oracle = tuner.oracle
    trials = [oracle.trials[name] for name in oracle.end_order]
    number = len(trials)
    if not number or any(t.status == TrialStatus.COMPLETED for t in trials):
        return None
    which = "The only trial" if number == 1 else f"All {number} trials"
    first = "" if number == 1 else "; the first one"
    pruned = any(t.status == TrialStatus.STOPPED for t in trials)
    ended = "failed or were pruned" if pruned and number > 1 else "failed"
    where = f"Its message is in {tuner.get_trial_dir(trials[0].trial_id)}."
    return f"{which} {ended}{first}: {reason_of(trials[0].message)}. {where}"


def superseded(oracle):
    """The names of trials that went on as another one, and count as that."""
    return oracle.superseded() if isinstance(oracle, AshaOracle) else set()
