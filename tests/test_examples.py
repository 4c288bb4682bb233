"""The examples run from start to end, in a small size."""

import pathlib
import subprocess
import sys

import pytest
from apart import environment

pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent
SMALL = {
    "monitoring.py": ["--epochs", "5", "--batches", "6"],
    "quickstart.py": ["--epochs", "2", "--seeds", "1", "--trials", "1"],
    "shrink_network.py": ["--epochs", "3", "--seeds", "1"],
    "speech_commands.py": [
        *("--voices", "2", "--held-out", "1", "--epochs", "1"),
        *("--seeds", "1", "--recipes", "RandomTimeShift", "SpecAugment"),
    ],
}
# What an example leaves where it is told to write.
LEFT = {
    "monitoring.py": {"model.keras", "monitor.npz"},
    "quickstart.py": {"model.keras", "report.html", "saved_model"},
    "shrink_network.py": {"model.keras"},
    "speech_commands.py": {"clips", "results.md"},
    # It has no sentences here, and says where to get them.
    "text_classification.py": set(),
}
FILES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
# These write nothing.
MIGRATIONS = [name for name in FILES if name.startswith("migrate_")]
EXAMPLES = [name for name in FILES if name not in MIGRATIONS]


def run(name, directory):
    return subprocess.run(
        [
            sys.executable,
            ROOT / "examples" / name,
            *SMALL.get(name, []),
            "--output",
            directory / "output",
        ],
        capture_output=True,
        text=True,
        cwd=directory,
        env=environment(),
    )


@pytest.mark.parametrize(
    "name",
    [
        # CI runs it whole, by `make demo`.
        pytest.param(
            name, marks=pytest.mark.long if name == "quickstart.py" else ()
        )
        for name in EXAMPLES
    ],
)
def test_an_example_runs_and_leaves_nothing_half_written(name, tmp_path):
    done = run(name, tmp_path)
    if "This example needs" in done.stderr:
        # It says what to install, and has begun nothing.
        assert "apt-get install" in done.stderr
        assert not (tmp_path / "output").exists()
        return
    assert done.returncode == 0, done.stdout + done.stderr
    left = {path.name for path in (tmp_path / "output").iterdir()}
    expected = set(LEFT[name])
    if "Keras cannot export it from torch" in done.stdout:
        expected.remove("saved_model")
    assert left == expected


@pytest.mark.parametrize("name", MIGRATIONS)
def test_the_old_and_the_new_give_equal_numbers(name):
    """The example itself ends with an error where they differ."""
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name],
        capture_output=True,
        text=True,
        env=environment(),
    )
    if "This example needs" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "largest difference" in done.stdout
