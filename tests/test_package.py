"""The wheel and the source distribution install from the file alone."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("setuptools")
pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent
PACKED = ("keras_regopt", "setup.cfg", "pyproject.toml", "README.md")
BUILD = """
from setuptools import build_meta
build_meta.build_wheel("dist")
build_meta.build_sdist("dist")
"""
PIP = (
    *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install"),
    *("--quiet", "--no-deps", "--no-build-isolation", "--no-index"),
)
IMPORTED = """
import keras_regopt
assert len(keras_regopt.optimizers.__all__) > 30
print(keras_regopt.__file__)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A wheel and an sdist, made of a copy that leaves nothing behind."""
    copy = tmp_path_factory.mktemp("source")
    for name in PACKED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name)
        else:
            shutil.copy(ROOT / name, copy / name)
    subprocess.run(
        [sys.executable, "-c", BUILD], cwd=copy, check=True, capture_output=True
    )
    return {path.suffix: path for path in (copy / "dist").iterdir()}


@pytest.mark.parametrize("suffix", [".whl", ".gz"])
def test_the_file_alone_is_enough(files, suffix, tmp_path):
    place = tmp_path / "installed"
    subprocess.run([*PIP, "--target", place, files[suffix]], check=True)
    assert (place / "keras_regopt" / "py.typed").exists()
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert str(place) in done.stdout
