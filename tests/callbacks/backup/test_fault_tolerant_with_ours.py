"""The state of each of our callbacks survives an interruption."""

import keras
import pytest
from interrupted import model, require_equal, train

from keras_regopt import callbacks, optimizers, schedules


def of_the_rate():
    return optimizers.SGD(schedules.OneCycle(0.1, 20), momentum=0.9)


# `test_pairs.py` guards features of each kind on every backend.
pytestmark = pytest.mark.any_backend

GUARDED = {
    "stopping": lambda: [
        callbacks.EarlyStopping(
            ["loss", "mae"],
            patience=2,
            combine="all",
            smoothing=0.3,
            restore_best_weights=True,
            criterion=callbacks.SuccessiveIncreases(2, strip=1),
        )
    ],
    "plateau": lambda: [
        callbacks.ReduceLROnPlateau(
            "loss", patience=1, min_delta=9, restore_best_weights=True
        )
    ],
    "average by the step": lambda: [
        callbacks.WeightAveraging(callbacks.EMA(0.8))
    ],
    "average of the last": lambda: [
        callbacks.WeightAveraging(callbacks.LAWA(2))
    ],
    "snapshots": lambda: [callbacks.SnapshotEnsemble(1)],
    "unfreezing": lambda: [callbacks.GradualUnfreezing(1)],
    "strength": lambda: [
        callbacks.HyperparameterSchedule(
            "dropout*",
            "rate",
            schedules.PolynomialDecay(0.5, 20, 0.1),
            per="step",
        )
    ],
    "momentum and loggers": lambda: [
        callbacks.MomentumCycle(0.85, 0.95),
        callbacks.LearningRateLogger(),
        callbacks.GradientNormLogger(per_layer=False),
    ],
}


@pytest.mark.parametrize("name", GUARDED)
def test_goes_on_with_its_state_in_the_middle_of_an_epoch(tmp_path, name):
    def make():
        keras.backend.clear_session()
        return model(of_the_rate())

    options = {"make_model": make, "guarded": GUARDED[name], "save_freq": 3}
    expected = train(None, **options)
    run = train(tmp_path / "parts", [8, 2, 7], **options)
    require_equal(run, expected)
