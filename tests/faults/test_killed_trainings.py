"""The ordinary form of the fault test; `make test-faults` is the long one."""

import pytest
from killing import report_of

pytestmark = [pytest.mark.any_backend, pytest.mark.long]

WRITING = ("half written", "before the first rename", "between the renames")


def test_a_training_that_is_killed_ends_as_one_that_was_not():
    report = report_of("kill_trainings.py", 5)
    assert report["differences"] == []
    assert report["kills"] == 5
    assert sum(report["moments"][moment] for moment in WRITING) >= 1
    # There was something to lose: an epoch to stop at, and a rate.
    assert min(report["stopped epochs"]) > 2
    assert min(report["rates"]) > 1
