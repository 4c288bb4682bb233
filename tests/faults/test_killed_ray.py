"""The ordinary form of the test of searches with Ray, where there is Ray."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="Ray is not installed; `make test-ray` installs it",
    ),
]

SCRIPT = pathlib.Path(__file__).parent / "kill_ray.py"


def test_searches_with_ray_lose_nothing_and_count_nothing_twice():
    done = subprocess.run(
        [sys.executable, SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["faults"] == []
