"""The progress and the results of a search, on the screen."""

import time

from keras_tuner.engine.trial import TrialStatus

from keras_regopt._keras import print_msg


class Progress:
    """Prints how a search goes on.

    Args:
        verbose: 0 prints nothing.
    """

    def __init__(self, verbose=1):
        self.verbose = verbose
        self._start = time.monotonic()

    def trial_begins(self, number, total, values):
        """Shows the trial's number and hyperparameters."""
        of = f" of {total}" if total else ""
        chosen = ", ".join(f"{k}={short(v)}" for k, v in values.items())
        self._print(f"Trial {number}{of}: {chosen or 'default values'}")

    def fold_ends(self, fold, total, name, record, resumed):
        """Shows the score of a fold, counted from 0."""
        epoch = record["best_epoch"]
        notes = [f"best epoch {epoch}"] if epoch else []
        notes += ["from an earlier run"] if resumed else []
        self._print(
            f"  Fold {fold + 1} of {total}: {name} "
            f"{short(record['metrics'][name])}"
            + (f" ({', '.join(notes)})" if notes else "")
        )

    def trial_ends(self, name, result, best, number):
        """Shows mean and standard deviation of a trial, and the best so far."""
        self._print(
            f"  {name} {mean_and_std(result)}; "
            f"best so far {mean_and_std(best)} (trial {number}); "
            f"{self._elapsed()}"
        )

    def trial_has_no_score(self, trial):
        """Shows when a trial was pruned, or why it failed, if it did."""
        if trial.status == TrialStatus.STOPPED:
            self._print(f"  {trial.message.capitalize()}; {self._elapsed()}")
        elif trial.status != TrialStatus.COMPLETED:
            reason = reason_of(trial.message)
            self._print(f"  Failed: {reason}; {self._elapsed()}")

    def trial_is_hopeless(self, done, total):
        """Shows that the other folds of a trial are not trained."""
        self._print(f"  Worse than the best after {done} of {total} folds")

    def _elapsed(self):
        minutes, seconds = divmod(round(time.monotonic() - self._start), 60)
        hours, minutes = divmod(minutes, 60)
        return f"elapsed {hours}:{minutes:02d}:{seconds:02d}"

    def _print(self, text):
        if self.verbose:
            print_msg(text)


def show_results(results, objective, folder):
    """Prints the results of a search."""
    print_msg(f"Results in {folder}: {objective}, mean +- std of the folds")
    for result in results:
        scores = ", ".join(short(score) for score in result["scores"])
        print_msg(f"Trial {result['trial_id']}: {mean_and_std(result)}")
        print_msg(f"  folds: {scores}")
        if result["epochs"]:
            print_msg(f"  best epoch, median: {result['epochs']}")
        for name, value in result["hyperparameters"].items():
            print_msg(f"  {name}: {short(value)}")


def reason_of(message):
    """The first line of a failed trial's message, which says why."""
    lines = (message or "").strip().splitlines()
    return lines[0] if lines else "without a message"


def mean_and_std(result):
    """A result as text, such as `0.9421 +- 0.0103`."""
    if result["std"] is None:
        return short(result["mean"])
    return f"{short(result['mean'])} +- {short(result['std'])}"


def short(value):
    """A value in a few digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
