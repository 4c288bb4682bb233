"""Trials that end after a few folds, since they are worse than the best."""

import numpy as np
import pytest
from fake_search import FakeTuner, Returns, X, Y

from keras_regopt.tuning import AshaOracle, CrossValidationTuner, RandomOracle
from keras_regopt.tuning._hopeless import _is_worse

pytestmark = pytest.mark.any_backend


def tuner_of(folder, results, trials=2, objective="loss", **options):
    model = Returns(*results)
    return FakeTuner(
        model,
        RandomOracle(objective, trials),
        folds=4,
        directory=folder,
        stop_hopeless=True,
        **options,
    )


def test_a_worse_trial_ends_and_its_folds_are_those_of_the_best(tmp_path):
    best = [1.0, 2.0, 3.0, 6.0]
    # Not the plain mean of two folds, which are easy ones: 2.05.
    tuner = tuner_of(tmp_path, [*best, 1.5, 2.6])
    tuner.search(X, Y, verbose=0)
    assert tuner.hypermodel.results == []
    first, second = tuner.cross_validation_results()
    assert first["mean"] == 3.0
    assert second["scores"] == [1.5, 2.6]
    assert second["mean"] == pytest.approx(3.0 + 0.55, abs=1e-12)
    assert tuner.oracle.trials["1"].score == pytest.approx(3.55, abs=1e-12)


def test_of_a_metric_to_maximize_the_lower_is_hopeless(tmp_path):
    best = [0.9, 0.8, 0.7, 0.6]
    tuner = tuner_of(
        tmp_path, [*best, 0.5, 0.4, *best], 3, objective="val_accuracy"
    )
    tuner.search(X, Y, verbose=0)
    results = tuner.cross_validation_results()
    assert [len(r["scores"]) for r in results] == [4, 4, 2]


def test_a_trial_that_may_be_better_trains_all_folds(tmp_path):
    results = [1.0, 2.0, 3.0, 6.0, 1.5, 2.0, 3.0, 4.0]
    tuner = tuner_of(tmp_path, results)
    tuner.search(X, Y, verbose=0)
    assert len(tuner.cross_validation_results()[0]["scores"]) == 4


def test_a_search_that_stops_hopeless_trials_goes_on(tmp_path):
    whole = tuner_of(tmp_path / "a", [1, 2, 3, 6, 1.5, 2.6])
    whole.search(X, Y, verbose=0)
    tuner = tuner_of(tmp_path / "b", [1, 2, 3, 6, 1.5, KeyboardInterrupt()])
    tuner.hypermodel.fit = interrupted(tuner.hypermodel.fit)
    with pytest.raises(KeyboardInterrupt):
        tuner.search(X, Y, verbose=0)
    tuner = tuner_of(tmp_path / "b", [2.6])
    tuner.search(X, Y, verbose=0)
    assert tuner.cross_validation_results() == whole.cross_validation_results()


def interrupted(fit):
    def raising(*args, **kwargs):
        result = fit(*args, **kwargs)
        if isinstance(result, BaseException):
            raise result
        return result

    return raising


def test_few_that_are_as_good_as_the_best_are_taken_for_worse():
    random = np.random.default_rng(0)
    # Correlated as those of five folds, whose training data overlap.
    shared = random.normal(size=(4000, 1)) * 0.5
    differences = shared + random.normal(size=(4000, 3))
    wrong = [_is_worse(list(row), 0.25) for row in differences]
    # 5 % are allowed; the standard error of the share is 0.3 %.
    assert 0.02 < np.mean(wrong) < 0.06
    right = [_is_worse(list(row + 6), 0.25) for row in differences]
    assert np.mean(right) > 0.7


def test_rungs_have_no_hopeless_folds():
    with pytest.raises(ValueError, match=r"`stop_hopeless` .* AshaOracle"):
        CrossValidationTuner(Returns(), AshaOracle("loss"), stop_hopeless=True)
