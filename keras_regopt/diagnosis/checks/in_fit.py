"""The checks of a running `fit`."""

from typing import Any

from keras_regopt._keras import (
    ArrayDataAdapter,
    arrays_of,
    print_msg,
    running_fit,
)
from keras_regopt._validate import fail
from keras_regopt.callbacks.backup._model_state import build_in_fit
from keras_regopt.diagnosis.checks.check import check, choose_checks

# What the weights tell, and so again at the end of the training.
_AT_THE_END = ("gradients", "units")


class FitChecks:
    """Runs checks at the start of a training, and some again at its end.

    Args:
        owner: The callback that runs them.
        checks: `"all"`, or a list of names and checks.
        verbose: Whether to print a line for each alarm.
    """

    def __init__(self, owner, checks, verbose):
        self._owner = owner
        self._checks = choose_checks(owner, checks)
        self._verbose = verbose

    def begin(self, model):
        """Runs all of them, on the arrays of the running `fit`."""
        iterator, _ = running_fit(model)
        adapter: Any = getattr(iterator, "data_adapter", None)
        if not isinstance(adapter, ArrayDataAdapter):
            allowed = "None where the data of `fit` are not arrays"
            remedy = "Call `keras_regopt.diagnosis.check` on some rows."
            fail(self._owner, "checks", allowed, self._checks, remedy)
        self._x, self._y = (*arrays_of(adapter), None)[:2]
        self._batch_size = adapter.batch_size
        build_in_fit(self._owner, model)
        return self._run(model, self._checks, "before the training")

    def end(self, model):
        """Runs those that look at the weights."""
        checks = [c for c in self._checks if c.name in _AT_THE_END]
        found = self._run(model, checks, "after the training")
        self._x = self._y = None
        return found

    def _run(self, model, checks, when):
        result = check(
            model,
            self._x,
            self._y,
            checks=checks,
            batch_size=self._batch_size,
        )
        if self._verbose:
            for finding in result.alarms:
                name = type(self._owner).__name__
                print_msg(
                    f"\n{name}, {when}: {finding.severity}: {finding.check}: "
                    f"{finding.evidence} {finding.remedy}"
                )
        return result
