import re

import keras
import pytest

import keras_regopt
from keras_regopt import __main__ as command
from keras_regopt._registry import registered

pytestmark = pytest.mark.any_backend


def test_prints_versions_backends_and_every_object(capsys):
    command.main()
    printed = capsys.readouterr().out
    head, *blocks = printed.split("\n\n")
    assert keras_regopt.__version__ in head
    assert f"Keras {keras.__version__}" in head
    for name in command.BACKENDS:
        assert re.search(rf"^  {name} +(not installed|\d)", head, re.MULTILINE)
    assert head.count("(in use)") == 1
    first = {line.split()[0] for line in "\n".join(blocks).splitlines()}
    assert {cls.__name__ for cls in registered()} <= first
    assert {"CrossValidationTuner", "diagnose"} <= first


def test_says_which_packages_are_not_there():
    assert command.version_of("no-such-package-at-all") is None
