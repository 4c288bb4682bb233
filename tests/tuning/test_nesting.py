"""Whole searches, measured on what they have not seen."""

import gc
import json

import asha_search
import keras_tuner
import numpy as np
import pytest
from deaths import Killed, dies_at
from sklearn.model_selection import KFold, ShuffleSplit

from keras_regopt.tuning import (
    CrossValidationTuner,
    RandomOracle,
    nested_cross_validation,
)

pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning"),
]

X, Y = asha_search.X, asha_search.Y


@pytest.fixture(autouse=True)
def no_garbage(monkeypatch):
    """Collecting it takes longer than these trainings."""
    monkeypatch.setattr(gc, "collect", lambda *args: 0)


def factory(trials=2):
    return RandomOracle(keras_tuner.Objective("val_loss", "min"), trials)


def nested(folder, **options):
    options = {
        "outer": 2,
        "folds": ShuffleSplit(1, random_state=0),
        "epochs": 2,
        "batch_size": 8,
        "verbose": 0,
        **options,
    }
    return nested_cross_validation(
        options.pop("hypermodel", asha_search.build),
        options.pop("oracle", factory),
        X,
        Y,
        directory=folder,
        **options,
    )


def test_each_search_is_measured_on_what_it_has_not_seen(tmp_path):
    outer = KFold(2, shuffle=True, random_state=3)
    result = nested(tmp_path, outer=outer)
    seeds = [
        json.loads(
            (tmp_path / "nested" / f"search_{i}" / "tuner.json").read_text()
        )["seed"]
        for i in (0, 1)
    ]
    assert seeds[0] != seeds[1]
    for i, (train, test) in enumerate(outer.split(X)):
        tuner = CrossValidationTuner(
            asha_search.build,
            factory(),
            ShuffleSplit(1, random_state=0),
            seed=seeds[i],
            directory=tmp_path / "alone",
            project_name=str(i),
        )
        tuner.search(X[train], Y[train], epochs=2, batch_size=8, verbose=0)
        [model] = tuner.get_best_models()
        loss = model.evaluate(X[test], Y[test], verbose=0)
        assert result["scores"][i] == pytest.approx(loss, rel=1e-6)
        best = tuner.cross_validation_results()[0]
        assert result["search_scores"][i] == best["mean"]
        assert result["hyperparameters"][i] == best["hyperparameters"]
    assert result["mean"] == pytest.approx(np.mean(result["scores"]))
    rates = sorted(values["rate"] for values in result["hyperparameters"])
    spread = result["spread"]["rate"]
    assert [spread["lowest"], spread["highest"]] == rates


def test_what_was_killed_ends_as_what_was_not(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        writes = dies_at(patch, None)
        whole = nested(tmp_path / "whole")
    # Within the second search, and as its score is written.
    for write in (writes() * 2 // 3, writes()):
        folder = tmp_path / str(write)
        with monkeypatch.context() as patch:
            dies_at(patch, write)
            with pytest.raises(Killed):
                nested(folder)
        assert nested(folder) == whole


def test_a_nested_search_takes_only_what_it_began_with(tmp_path):
    nested(tmp_path)
    with pytest.raises(ValueError, match="`epochs` must be 2"):
        nested(tmp_path, epochs=3)
    with pytest.raises(ValueError, match="`oracle_seed` must be 0"):
        nested(tmp_path, oracle=lambda: RandomOracle("val_loss", 2, seed=1))
    path = tmp_path / "nested" / "outer.json"
    path.write_text("{}")
    with pytest.raises(RuntimeError, match=r"outer\.json holds no outer"):
        nested(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outer": 1}, "`outer` of nested_cross_validation"),
        ({"outer": None}, "`outer`"),
        ({"seed": -1}, "`seed`"),
        ({"oracle": RandomOracle("val_loss")}, "`oracle_factory`"),
        ({"oracle": lambda: 3}, "`oracle_factory`"),
    ],
)
def test_bad_arguments_of_nesting_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        nested(tmp_path, **options)


def test_one_oracle_does_not_serve_two_searches(tmp_path):
    shared = factory()
    with pytest.raises(ValueError, match="a new Keras Tuner oracle each time"):
        nested(tmp_path, oracle=lambda: shared)


def test_an_objective_that_evaluate_lacks_is_named(tmp_path):
    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return asha_search.build(hp)

        def fit(self, hp, model, *args, **kwargs):
            model.fit(*args, **kwargs)
            return {"mine": 1.0}

    objective = keras_tuner.Objective("mine", "min")
    with pytest.raises(ValueError, match=r"Model\.evaluate reports.*'mine'"):
        nested(
            tmp_path,
            hypermodel=Own(),
            oracle=lambda: RandomOracle(objective, 1),
        )
