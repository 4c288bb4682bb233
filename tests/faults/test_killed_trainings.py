"""The ordinary form of the fault test; `make test-faults` is the long one."""

import json
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.any_backend

WRITING = ("half written", "before the first rename", "between the renames")
SCRIPT = pathlib.Path(__file__).parent / "kill_trainings.py"


def test_a_training_that_is_killed_ends_as_one_that_was_not():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--kills", "5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["differences"] == []
    assert report["kills"] == 5
    assert sum(report["moments"][moment] for moment in WRITING) >= 1
    # There was something to lose: an epoch to stop at, and a rate.
    assert min(report["stopped epochs"]) > 2
    assert min(report["rates"]) > 1
