"""What the tests need of Keras, which not every version has."""

import keras
import pytest


def version(text):
    """Major and minor number of a release."""
    return tuple(int(number) for number in text.split(".")[:2])


def since_keras(text, what):
    """Marks a test, or one of its cases, that an older Keras cannot run."""
    return pytest.mark.skipif(
        version(keras.__version__) < version(text),
        reason=f"Keras has {what} since {text}",
    )


def keras_test_module(name):
    """A test module of Keras; without it, the importing tests are skipped."""
    return pytest.importorskip(
        name, reason="Wheels of Keras before 3.15 hold no tests"
    )


def multi_optimizer(rule, by_pattern=None):
    """A `MultiOptimizer`; the calling test is skipped where Keras has none.

    Args:
        rule: Function of a variable, or the optimizer of all other variables.
        by_pattern: Dict of patterns of paths and optimizers.
    """
    if version(keras.__version__) < (3, 15):
        pytest.skip(reason="Keras has MultiOptimizer since 3.15")
    if by_pattern is not None:
        rule = keras.optimizers.OptimizerMap(rule, by_pattern)
    return keras.optimizers.MultiOptimizer(rule)
