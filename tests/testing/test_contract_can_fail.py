"""Every promise is broken by a class that it must catch."""

import broken_augmentations
import broken_callbacks
import broken_common
import broken_companions
import broken_constraints
import broken_criteria
import broken_layers
import broken_metrics
import broken_optimizers
import broken_regularizers
import broken_schedules
import broken_transformations
import keras
import pytest

from keras_regopt.testing._contract import NotApplicable, Subject, keep
from keras_regopt.testing._kinds import PROMISES

BROKEN = {
    **broken_common.BROKEN,
    **broken_augmentations.BROKEN,
    **broken_callbacks.BROKEN,
    **broken_companions.BROKEN,
    **broken_constraints.BROKEN,
    **broken_criteria.BROKEN,
    **broken_layers.BROKEN,
    **broken_metrics.BROKEN,
    **broken_optimizers.BROKEN,
    **broken_regularizers.BROKEN,
    **broken_schedules.BROKEN,
    **broken_transformations.BROKEN,
}
# What Keras cannot do on torch: to export, and to train on two devices.
NOT_ON_TORCH = (
    "exports",
    "is_identity_when_exported",
    "steps_alike_in_data_parallel",
)


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", PROMISES, ids=lambda kind: kind.__name__)
def test_every_promise_has_a_broken_class(kind):
    assert [p.__name__ for p in PROMISES[kind] if not BROKEN.get(p)] == []


# Keras warns of what a promise turns into an error.
@pytest.mark.filterwarnings("ignore:Skipping variable loading")
# NumPy warns of the numbers that a promise must find.
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        pytest.param(
            promise,
            broken,
            id=f"{kind}-{promise.__name__}-{name}",
            marks=pytest.mark.any_backend
            if "torch" in broken.backends
            and promise.__name__ not in NOT_ON_TORCH
            else (),
        )
        for promise, classes in BROKEN.items()
        for broken in classes
        for kind in [promise.__module__.rpartition(".")[2]]
        for name in [broken.cls.__name__]
    ],
)
def test_a_broken_class_is_caught(promise, broken):
    if keras.backend.backend() not in broken.backends:
        pytest.skip(reason=broken.skip_reason())
    subject = Subject(broken.cls, broken.arguments)
    says = rf"`{promise.__name__}`: (?s:.*)({broken.says})"
    try:
        with pytest.raises(AssertionError, match=says):
            keep(subject, promise)
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
