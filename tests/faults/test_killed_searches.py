"""The ordinary form of the test of killed searches."""

import json
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.any_backend

SCRIPT = pathlib.Path(__file__).parent / "kill_searches.py"


def test_searches_that_are_killed_find_what_others_find():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--kills", "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["differences"] == []
    assert report["kills"] == 4
    # The first kind has promotions, whose backups are files, too.
    assert report["kinds"]["asha"] == 4
    assert report["moments"]["before a file has its name"] >= 1
