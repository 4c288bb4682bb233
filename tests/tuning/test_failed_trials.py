"""Scores that are not finite, errors and wrong results."""

import keras_tuner
import pytest
from fake_search import (
    FakeTuner,
    Returns,
    X,
    Y,
    history,
    random_oracle,
    searched,
)

pytestmark = [
    pytest.mark.any_backend,
    # Keras Tuner's; `pytest.warns` hands it on as if it were ours.
    pytest.mark.filterwarnings(
        "ignore:(currentThread|getName):DeprecationWarning"
    ),
]


def test_a_nan_epoch_is_the_worst(tmp_path):
    nan = float("nan")
    model = Returns(
        history(val_loss=[nan, 2.0, 3.0]), history(val_loss=[1.0, nan])
    )
    [result] = searched(tmp_path, model).cross_validation_results()
    assert result["scores"] == [2.0, 1.0]
    assert result["best_epochs"] == [2, 1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_trial_without_a_finite_score_fails(tmp_path, bad, capsys):
    model = Returns(0.5, bad, 0.7, 0.9)
    tuner = FakeTuner(
        model, random_oracle("loss", 2), folds=2, directory=tmp_path
    )
    tuner.search(X, Y)
    [result] = tuner.cross_validation_results()
    assert result["mean"] == 0.8
    failed = tuner.oracle.trials["0"]
    assert failed.status == "FAILED"
    assert failed.score is None
    assert "not finite" in failed.message
    assert f"Failed: loss is {bad}, not finite" in capsys.readouterr().out


def test_other_metrics_may_be_nan(tmp_path):
    nan = float("nan")
    model = Returns({"loss": 1.0, "f1": nan}, {"loss": 2.0, "f1": 0.5})
    tuner = searched(tmp_path, model, random_oracle("loss"))
    [result] = tuner.cross_validation_results()
    assert result["mean"] == 1.5
    assert not tuner.oracle.trials["0"].metrics.exists("f1")


def test_an_infinite_score_does_not_enter_the_bayesian_model(tmp_path):
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        "loss", max_trials=3, num_initial_points=1, seed=1
    )
    model = Returns(5.0, 6.0, float("inf"), 7.0, 8.0)
    searched(tmp_path, model, oracle)
    _, scores = oracle._vectorize_trials()
    assert scores.tolist() == [5.5, 7.5]


def test_a_retry_trains_all_folds_anew_under_other_seeds(tmp_path):
    class Noted(FakeTuner):
        def build_seeded(self, hyperparameters, seed):
            seeds.append(seed)
            return super().build_seeded(hyperparameters, seed)

    seeds = []
    model = Returns(0.5, float("nan"), 1.0, 2.0)
    oracle = random_oracle("loss", max_retries_per_trial=1)
    tuner = Noted(model, oracle, folds=2, directory=tmp_path)
    tuner.search(X, Y, verbose=0)
    [result] = tuner.cross_validation_results()
    assert result["scores"] == [1.0, 2.0]
    assert seeds == [
        tuner.fold_seed("0", fold, attempt)
        for attempt in (0, 1)
        for fold in (0, 1)
    ]
    assert len(set(seeds)) == 4


def test_an_error_fails_the_trial_as_in_keras_tuner(tmp_path, capsys):
    model = Returns(0.5, MemoryError("out of memory"), 0.7, 0.9)
    tuner = searched(tmp_path, model, random_oracle("loss", 2))
    assert tuner.oracle.trials["0"].status == "FAILED"
    assert "out of memory" in tuner.oracle.trials["0"].message
    assert tuner.cross_validation_results()[0]["mean"] == 0.8
    assert "out of memory" in capsys.readouterr().err


def test_the_reason_is_the_first_line_of_the_error(tmp_path, capsys):
    class Explains(Returns):
        def fit(self, hp, model, *args, **kwargs):
            try:
                raise KeyError("inner")
            except KeyError as inner:
                error = ValueError("shapes differ\n\nFor simplicity, frames")
                error.add_note("A note of the backend.")
                raise error from inner

    # In a later run as well, which knows the files alone.
    for _ in range(2):
        oracle = random_oracle("loss", 2)
        tuner = FakeTuner(Explains(), oracle, folds=2, directory=tmp_path)
        with pytest.warns(UserWarning, match="All 2 trials failed; the first"):
            tuner.search(X, Y)
        message = r"no best model. All 2 .* ValueError: shapes differ\. Its"
        with pytest.raises(RuntimeError, match=message):
            tuner.get_best_models()
    shown = capsys.readouterr().out
    assert shown.count("  Failed: ValueError: shapes differ; elapsed") == 2
    message = tuner.oracle.trials["0"].message
    assert "A note of the backend." in message
    assert "Traceback" in message


def test_three_failed_trials_end_the_search(tmp_path):
    model = Returns(*[float("nan")] * 3)
    with pytest.raises(RuntimeError, match=r"exceeded the limit[\s\S]*finite"):
        searched(tmp_path, model, random_oracle("loss", 5))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "must return a History, a dict of metrics or a number"),
        ({"other": 1.0}, "objective='val_loss', but the fit reported: other"),
        (history(loss=[1.0]), "but the fit reported: loss"),
    ],
)
def test_a_wrong_result_ends_the_search_with_its_reason(
    tmp_path, result, message
):
    with pytest.raises(keras_tuner.errors.FatalError, match=message):
        searched(tmp_path, Returns(result))
