"""The checks that every object of this package passes, for your own objects.

Each `check_...` takes a class and the arguments that make an object of it, and
checks the promises that a user relies on, on the current backend:

    >>> from keras_regopt.testing import check_schedule
    >>> from keras_regopt.schedules import Warmup
    >>> check_schedule(Warmup, schedule=0.1, warmup_steps=10)

An `AssertionError` lists every promise that is broken. A class of yours must
be registered with `keras.saving.register_keras_serializable`. Data
parallelism is checked where the process was started with two devices.
"""

from keras_regopt.testing import (
    augmentations,
    callbacks,
    constraints,
    criteria,
    layers,
    metrics,
    optimizers,
    regularizers,
    schedules,
    transformations,
)
from keras_regopt.testing._contract import Subject, check

__all__ = [
    "check_augmentation",
    "check_callback",
    "check_constraint",
    "check_criterion",
    "check_layer",
    "check_metric",
    "check_optimizer",
    "check_regularizer",
    "check_schedule",
    "check_transformation",
]


def check_augmentation(cls: type, **arguments):
    """Checks a random augmentation of any kind of data, which takes a `seed`.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), augmentations.PROMISES)


def check_callback(cls: type, **arguments):
    """Checks a callback whose configuration and state can be saved.

    It has `get_config()` and `from_config(config)` as a layer has, and
    `state()` and `restore(state)` as the callbacks of this package have.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), callbacks.PROMISES)


def check_constraint(cls: type, **arguments):
    """Checks a constraint, on kernels.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), constraints.PROMISES)


def check_criterion(cls: type, **arguments):
    """Checks a stopping criterion for `EarlyStopping`.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), criteria.PROMISES)


def check_layer(cls: type, **arguments):
    """Checks a layer, on an input of the rank that its `input_spec` asks for.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), layers.PROMISES)


def check_metric(cls: type, **arguments):
    """Checks a metric, on targets of two columns and predictions of one.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), metrics.PROMISES)


def check_optimizer(cls: type, **arguments):
    """Checks an optimizer or a wrapper around one.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), optimizers.PROMISES)


def check_regularizer(cls: type, **arguments):
    """Checks a regularizer, on kernels and on activities.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), regularizers.PROMISES)


def check_schedule(cls: type, **arguments):
    """Checks a learning-rate schedule.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), schedules.PROMISES)


def check_transformation(cls: type, **arguments):
    """Checks a gradient transformation, by itself and around an optimizer.

    Args:
        cls: The class.
        **arguments: What its constructor needs.

    Raises:
        AssertionError: If it breaks a promise; the message lists them all.
    """
    check(Subject(cls, arguments), transformations.PROMISES)


def __dir__():
    return __all__
