import json
import pathlib

import keras
import numpy as np
import pytest

from keras_regopt.tuning import LearningCurve, RecipeResult, recipe
from keras_regopt.tuning._recipe_trainings import Trainings
from keras_regopt.tuning._remedies import REMEDIES, made

pytestmark = pytest.mark.any_backend

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(120, 20)).astype("float32")
# Noise in the labels, which a large model learns by heart.
Y = (X[:, 0] + 0.7 * RANDOM.normal(size=120) > 0).astype("int32")


def build(dropout=0.0, kernel_regularizer=None, optimizer=None):
    model = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(
                32, "relu", kernel_regularizer=kernel_regularizer
            ),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(2, "softmax"),
        ]
    )
    model.compile(
        optimizer or keras.optimizers.Adam(0.03),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def cook(build=build, **options):
    options = {
        "budget": 22,
        "max_remedies": 2,
        "folds": 2,
        "epochs": 10,
        "batch_size": 32,
        "checks": (),
        "verbose": 0,
        **options,
    }
    return recipe(build, (X, Y), **options)


def words(result):
    """All that a result says, but for where it stands."""
    return json.dumps({**result.as_dict(), "report": None})


@pytest.fixture(scope="module")
def cooked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipe")
    return cook(directory=folder), folder


def test_an_overfitting_model_gets_remedies_against_variance(cooked):
    result, _ = cooked
    assert "high variance" in result.baseline.verdict
    assert 1 <= len(result.tries) <= 2
    # What comes after may be for the bias that the first one has brought.
    assert REMEDIES[result.tries[0]["remedy"]].cures == "variance"
    for row in result.tries:
        gain = row["before"] - row["error"]
        assert row["kept"] == (gain > row["error of the gain"])
    kept = {r["remedy"]: r["strength"] for r in result.tries if r["kept"]}
    assert result.chosen == kept
    assert result.trainings <= 22
    json.dumps(result.as_dict())


def test_what_was_chosen_makes_further_models(cooked):
    result, _ = cooked
    first, second = result.parts(), result.parts()
    assert set(first) == set(made(result.chosen, keras.optimizers.Adam(0.03)))
    for name, part in first.items():
        if name == "dropout":
            assert part == second[name] == result.chosen[name]
        else:
            # A model needs objects of its own.
            assert part is not second[name]
            assert part.get_config() == second[name].get_config()
    assert build(**first).count_params() == result.model.count_params()


def test_the_report_shows_each_step(cooked):
    result, folder = cooked
    assert result.report == str(folder / "report.html")
    page = pathlib.Path(result.report).read_text()
    for heading in ("Summary", "Data", "Verdict", "Remedies", "Search"):
        assert f"<h2>{heading}</h2>" in page
    assert result.summary in page


def test_the_test_error_is_that_of_the_model(cooked):
    result, _ = cooked
    row = result.test[-1]
    assert row["rows"] == 24
    assert row["error"] == 1 - row["accuracy"]
    name = "recipe" if result.chosen else "plain"
    assert row["model"] == name


class Killed(Exception):
    pass


def test_it_goes_on_where_it_stopped(tmp_path, cooked):
    built = []

    def counted(dropout=0.0, kernel_regularizer=None, optimizer=None):
        if len(built) == 6:
            raise Killed
        built.append(1)
        return build(dropout, kernel_regularizer, optimizer)

    with pytest.raises(Killed):
        cook(counted, directory=tmp_path)
    # It never comes to six again.
    built[:] = [1] * 100
    resumed = cook(counted, directory=tmp_path)
    assert words(resumed) == words(cooked[0])
    trained = len(built)
    again = cook(counted, directory=tmp_path)
    assert words(again) == words(resumed)
    # The plain optimizer, the diagnosed and the final models are built again.
    assert len(built) - trained <= 3 + 1 + len(resumed.chosen)
    np.testing.assert_array_equal(
        again.model.get_weights()[0], resumed.model.get_weights()[0]
    )


def test_a_directory_of_another_recipe_is_refused(tmp_path):
    few = {"budget": 3, "epochs": 1, "directory": tmp_path}
    cook(**few)
    with pytest.raises(ValueError, match="`epochs` must be 1"):
        cook(**{**few, "epochs": 2})
    cook(**{**few, "epochs": 2}, overwrite=True)


def limit(self, settings):
    errors = np.array([[0.4], [0.28], [0.2], [0.14]]) + [[-0.002, 0.0, 0.002]]
    return LearningCurve("error", False, (10, 20, 40, 80), errors / 9, errors)


def test_it_stops_where_the_data_are_the_limit(monkeypatch):
    monkeypatch.setattr(Trainings, "learning_curve", limit)
    result = cook(max_remedies=0)
    assert result.outcome == "the data are the limit"
    assert "twice the rows" in result.reason.lower()
    assert result.chosen == {}
    assert [row["model"] for row in result.test] == ["plain"]


def test_a_budget_that_is_too_small_ends_it(capsys):
    result = cook(budget=6, verbose=1)
    assert result.outcome == "the budget is spent"
    assert result.trainings <= 6
    assert "The plain model" in capsys.readouterr().out


def test_an_error_of_the_checks_ends_it():
    def twice(dropout=0.0):
        model = keras.Sequential(
            [keras.Input((20,)), keras.layers.Dense(2, "softmax")]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    broken = X.copy()
    broken[3, 2] = np.nan
    result = recipe(twice, (broken, Y), checks=["data"], verbose=0, epochs=2)
    assert result.outcome == "the checks found errors"
    assert result.model is None
    assert result.trainings == 0
    assert "Mend these first" in str(result)


def test_a_rate_and_a_decay_remake_the_plain_optimizer():
    plain = keras.optimizers.RMSprop(0.01, rho=0.8)
    parts = made({"learning_rate": 3.0, "weight_decay": 0.1}, plain)
    (optimizer,) = parts.values()
    assert type(optimizer) is type(plain)
    assert optimizer.rho == 0.8
    assert optimizer.weight_decay == 0.1
    assert float(optimizer.learning_rate) == pytest.approx(0.03, rel=1e-6)


@pytest.mark.parametrize(
    ("argument", "value", "match"),
    [
        ("build", lambda: None, "a function of one or more of optimizer"),
        ("build", lambda units, dropout=0: None, "which all have defaults"),
        ("build", 3, "a function of parts"),
        ("remedies", ["width"], "`build` takes no `width`"),
        ("remedies", ["magic"], "a list of 'epochs'"),
        ("budget", 2, "an integer >= 3"),
        ("folds", 1, ">= 2"),
        ("checks", "some", "'all'"),
        ("validation_data", (X, Y), "left out"),
    ],
)
def test_a_bad_argument_is_named(argument, value, match):
    with pytest.raises(ValueError, match=match):
        cook(**{argument: value})


def test_data_that_are_no_pair_are_refused():
    with pytest.raises(ValueError, match="`data` of recipe"):
        recipe(build, X)


@pytest.mark.parametrize(
    ("errors", "rows", "words"),
    [
        ((0.2, 0.1), 1000, "The test error fell from 0.2 to 0.1."),
        ((0.1, 0.2), 1000, "The test error rose from 0.1 to 0.2."),
        ((0.2, 0.1), 20, "to 0.1, no clear difference with 20 test rows."),
        ((0.2, 0.2), 20, "The test error stayed at 0.2."),
    ],
)
def test_the_summary_says_whether_the_test_rows_suffice(errors, rows, words):
    table = [
        {"error": e, "std. err.": (e * (1 - e) / rows) ** 0.5, "rows": rows}
        for e in errors
    ]
    nothing = dict.fromkeys(RecipeResult.__dataclass_fields__)
    assert RecipeResult(**{**nothing, "test": table}).summary.endswith(words)
