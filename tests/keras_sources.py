"""Keras' own tests, which ours run against the classes that replace Keras'."""

import pytest


def keras_test_module(name):
    """A test module of Keras; without it, the importing tests are skipped."""
    return pytest.importorskip(
        name, reason="Wheels of Keras before 3.15 hold no tests"
    )
