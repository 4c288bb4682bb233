"""What `ray_search` does before and after Ray."""

import importlib.util
import json
import types

import asha_search
import keras
import keras_tuner
import pytest
from sklearn.model_selection import ShuffleSplit

from keras_regopt.callbacks import FaultTolerant
from keras_regopt.tuning import Options, PruningCallback, Range, ray_search
from keras_regopt.tuning._population import Explore, first_values
from keras_regopt.tuning._ray_space import drawn_trials, searched_space
from keras_regopt.tuning._ray_study import outcomes
from keras_regopt.tuning.ray_searching import _results

pytestmark = pytest.mark.any_backend

OBJECTIVE = keras_tuner.Objective("val_loss", "min")
X, Y = asha_search.X, asha_search.Y
RANGES = {
    "learning_rate": Range(1e-4, 1e-1, log=True),
    "drop.rate": Range(0.0, 0.6),
}
MISSPELT = {"drip.rate": Range(0.0, 0.6)}


def declared():
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Choice("kind", ["a", "b"])
    with hp.conditional_scope("kind", ["b"]):
        hp.Int("depth", 1, 3)
    return hp


def search(**options):
    options = {
        "hypermodel": asha_search.build,
        "space": None,
        "data": (X, Y),
        "folds": ShuffleSplit(1, random_state=0),
        "num_samples": 2,
        "storage_path": "never",
        "epochs": 2,
        **options,
    }
    return ray_search(**options)


def test_trials_are_those_of_a_random_oracle_and_differ():
    trials = drawn_trials(OBJECTIVE, declared(), {}, 8, 3)
    assert trials == drawn_trials(OBJECTIVE, declared(), {}, 8, 3)
    assert trials[:4] == drawn_trials(OBJECTIVE, declared(), {}, 4, 3)
    assert len({json.dumps(trial["values"]) for trial in trials}) == 8
    for trial in trials:
        values = trial["values"]
        assert ("depth" in values) == (values["kind"] == "b")
    few = searched_space(None, {"kind": Options(["a", "b"])}, declared())
    assert len(drawn_trials(OBJECTIVE, few, {}, 8, 0)) == 2


def test_a_dict_of_ranges_is_a_space():
    space = searched_space(
        "name",
        {"rate": Range(0.1, 0.2), "depth": Range(2, 3, whole=True)},
        declared(),
    )
    rate, depth = space.space
    assert (rate.min_value, rate.max_value, rate.sampling) == (
        0.1,
        0.2,
        "linear",
    )
    assert (type(depth).__name__, depth.max_value) == ("Int", 3)
    with pytest.raises(ValueError, match=r"\['speed'\]"):
        searched_space("name", {"speed": Range(0.1, 0.2)}, declared())
    with pytest.raises(ValueError, match="Range or Options"):
        searched_space("name", {"rate": 0.1}, declared())


def test_a_population_stays_within_its_ranges():
    population = first_values(RANGES, 0, 1)
    assert population == first_values(RANGES, 0, 1)
    assert population != first_values(RANGES, 0, 2)
    explore = Explore(RANGES, 0)
    config = {"trial": {"number": 1, "population": population}}
    found = []
    for _ in range(200):
        config = explore(config)
        found.append(config["trial"]["population"])
        for name, span in RANGES.items():
            assert found[-1][name] in span
    rates = [values["learning_rate"] for values in found]
    assert min(rates) < 1e-3 < 1e-2 < max(rates)
    # What it began with is left as it was.
    assert population == first_values(RANGES, 0, 1)


def result(number, error=None, **metrics):
    return types.SimpleNamespace(
        config={"trial": {"number": number, "population": {}}},
        metrics=metrics,
        error=error,
    )


def ended(number, score):
    outcome = {
        "records": [{"metrics": {"val_loss": score}, "best_epoch": 2}],
        "hyperparameters": {"rate": number},
    }
    finished = score == score
    return result(number, finished=finished, outcome=json.dumps(outcome))


def test_the_results_are_of_the_trials_that_trained_all_folds():
    grid = [
        ended(0, 0.3),
        ended(1, 0.2),
        result(2, finished=False, val_loss=0.1),
    ]
    found = _results(outcomes(grid), OBJECTIVE)
    assert [r["trial_id"] for r in found] == ["1", "0"]
    assert found[0]["mean"] == 0.2
    assert found[0]["std"] is None
    assert found[0]["hyperparameters"] == {"rate": 1}
    best_last = _results(
        outcomes(grid), keras_tuner.Objective("val_loss", "max")
    )
    assert [r["trial_id"] for r in best_last] == ["0", "1"]


def test_failed_trials_are_told():
    grid = [
        ended(0, 0.3),
        ended(1, float("nan")),
        result(2, error=ValueError("no memory")),
    ]
    with pytest.warns(UserWarning, match="2 of 3 trials failed.*no memory"):
        assert len(outcomes(grid)) == 1
    with pytest.raises(RuntimeError, match="No trial has succeeded"):
        outcomes(grid[1:])


def build_without_schedule(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_samples": 0}, "`num_samples`"),
        ({"epochs": 0}, "`epochs`"),
        ({"scheduler": "hyperband"}, "`scheduler`"),
        ({"scheduler": "pbt"}, "`population`"),
        ({"population": RANGES}, "`population`"),
        ({"scheduler": "pbt", "population": {"rate": Range(0, 1)}}, "layer"),
        ({"scheduler": "pbt", "population": RANGES}, "which a schedule sets"),
        ({"scheduler": "pbt", "population": MISSPELT}, "drip.rate"),
        ({"scheduler": "pbt", "population": RANGES, "folds": 2}, "single"),
        ({"scheduler": None, "scheduler_options": {"a": 1}}, "left out"),
        ({"data": X}, "`data`"),
        ({"data": (X, iter([1]))}, "other processes"),
        ({"objective": "my_score"}, "objective"),
        ({"callbacks": [PruningCallback()]}, "its scheduler ends them"),
        ({"callbacks": [FaultTolerant([], "a")]}, "its scheduler ends them"),
        ({"max_failures": -1}, "`max_failures`"),
        ({"validation_split": 0.1}, "`validation_split`"),
        ({"space": {"speed": Range(0, 1)}}, "`space`"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        search(**options)


def test_ray_is_asked_for_where_it_is_missing(tmp_path):
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("Ray is installed")
    with pytest.raises(ImportError, match=r"keras_regopt\[ray\]"):
        search(hypermodel=build_without_schedule, space=declared())
