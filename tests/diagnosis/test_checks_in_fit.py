"""`FitMonitor` runs the checks before a training, and changes nothing."""

import check_cases
import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import FitMonitor


def fitted(checks, verbose=0):
    keras.utils.set_random_seed(0)
    case = check_cases.table(0)
    monitor = FitMonitor(checks=checks, verbose=verbose)
    case.model.fit(
        case.x[:128],
        case.y[:128],
        epochs=2,
        verbose=0,
        callbacks=[monitor],
    )
    return monitor, case.model.get_weights()


def test_checks_run_at_both_ends_and_change_nothing():
    monitor, weights = fitted(["one_batch", "gradients"])
    _, others = fitted(None)
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)
    before, after = monitor.check_results
    assert before.passed == ("one_batch", "gradients")
    assert after.passed == ("gradients",)


@pytest.mark.any_backend
def test_an_alarm_is_a_line(capsys):
    keras.utils.set_random_seed(0)
    case = check_cases.logits_as_probabilities(0)
    monitor = FitMonitor(checks=["initial_loss"])
    case.model.fit(case.x[:64], case.y[:64], verbose=0, callbacks=[monitor])
    assert "FitMonitor, before the training: error: initial_loss: " in (
        capsys.readouterr().out
    )
    assert not monitor.check_results[0].ok


@pytest.mark.any_backend
def test_checks_that_cannot_be_run_are_refused():
    with pytest.raises(ValueError, match="`checks` of FitMonitor"):
        FitMonitor(checks=["none such"])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.ones((4, 2)), np.ones((4, 1))

    with pytest.raises(ValueError, match="not arrays"):
        model.fit(Batches(), verbose=0, callbacks=[FitMonitor(checks=["data"])])
