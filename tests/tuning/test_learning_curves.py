"""Learning curves and validation curves from trainings."""

import json

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_regopt.tuning import (
    LearningCurve,
    learning_curve,
    validation_curve,
)
from keras_regopt.tuning._curve_data import epochs_for, nested_order

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(48, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def build(units=2):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(units, "relu"),
            keras.layers.Dense(2, "softmax"),
        ]
    )
    model.compile(
        "sgd", "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def curve_of(build=build, sizes=(8, 16), **options):
    options = {"folds": 2, "verbose": 0, "batch_size": 8, **options}
    return learning_curve(build, X, Y, sizes, **options)


def test_each_size_and_fold_has_its_scores_on_every_backend():
    curve = curve_of(sizes=[0.25, 1.0])
    assert curve.sizes == (6, 24)
    assert curve.metric == "accuracy"
    assert curve.is_score
    assert curve.train_scores.shape == curve.dev_scores.shape == (2, 2)
    assert ((curve.dev_errors >= 0) & (curve.dev_errors <= 1)).all()
    json.dumps(curve.as_dict())


def test_the_same_call_gives_the_same_scores():
    assert (curve_of().dev_scores == curve_of().dev_scores).all()


class Killed(Exception):
    pass


@pytest.mark.any_backend
def test_it_goes_on_where_it_stopped_and_takes_more_sizes(tmp_path, capsys):
    built = []

    def counted():
        if len(built) == 3:
            raise Killed
        built.append(1)
        return build()

    place = {"directory": tmp_path, "verbose": 1}
    with pytest.raises(Killed):
        curve_of(counted, **place)
    built[:] = [1, 1, 1, 1]
    resumed = curve_of(counted, **place)
    assert len(built) == 5
    assert "3 of 4 trainings are done" in capsys.readouterr().out
    whole = curve_of()
    assert (resumed.dev_scores == whole.dev_scores).all()
    more = curve_of(counted, sizes=[8, 16, 24], **place)
    assert len(built) == 7
    assert (more.dev_scores[:2] == whole.dev_scores).all()


@pytest.mark.any_backend
def test_a_project_of_other_data_is_refused_unless_overwritten(tmp_path):
    curve_of(directory=tmp_path)
    with pytest.raises(ValueError, match="which the finished trials in"):
        curve_of(directory=tmp_path, seed=1)
    (tmp_path / "learning_curve" / "curve.json").write_text("{")
    with pytest.raises(RuntimeError, match="no valid JSON"):
        curve_of(directory=tmp_path)
    curve_of(directory=tmp_path, overwrite=True, seed=1)


@pytest.mark.any_backend
def test_processes_side_by_side_give_what_one_gives(tmp_path, monkeypatch):
    code = "\n".join(
        [
            "import keras",
            "def build():",
            "    layers = [keras.layers.Dense(2, 'softmax')]",
            "    model = keras.Sequential(layers)",
            "    model.compile('sgd', 'sparse_categorical_crossentropy')",
            "    return model",
        ]
    )
    (tmp_path / "builds_for_curves.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    from builds_for_curves import build as importable

    alone = curve_of(importable, sizes=[8])
    both = curve_of(importable, sizes=[8], processes=2, directory=tmp_path)
    np.testing.assert_allclose(both.dev_scores, alone.dev_scores, rtol=1e-6)


@pytest.mark.any_backend
def test_a_build_that_cannot_be_imported_is_refused_by_several_processes():
    with pytest.raises(ValueError, match="at the top of a module"):
        curve_of(lambda: build(), processes=2)


@pytest.mark.any_backend
def test_fewer_rows_are_trained_for_as_many_steps():
    assert epochs_for(10, 1000, 1000, 32) == 10
    assert epochs_for(10, 100, 1000, 32) == 80
    epochs = []

    class Count(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            epochs.append(self.params["epochs"])

    curve_of(epochs=2, callbacks=[Count()])
    assert epochs == [6, 6, 3, 3]
    epochs.clear()
    curve_of(epochs=2, callbacks=[Count()], same_steps=False)
    assert epochs == [2, 2, 2, 2]


@pytest.mark.any_backend
def test_sizes_are_nested_and_keep_the_classes_and_the_groups():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    order = nested_order(np.arange(100), labels, None, 0)
    assert sorted(order) == list(range(100))
    for size in (10, 20, 50):
        counts = np.bincount(labels[order[:size]], minlength=3)
        assert abs(counts - size * np.array([0.6, 0.3, 0.1])).max() <= 1
    groups = np.arange(100) % 7
    order = nested_order(np.arange(100), None, groups, 0)
    changes = np.sum(np.diff(groups[order]) != 0)
    assert changes == 6


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sizes": [0.0, 1.0]}, "`sizes` of learning_curve"),
        ({"sizes": [25]}, "from 1 to 24"),
        ({"sizes": "all"}, "`sizes` of learning_curve"),
        ({"build": build()}, "`build` of learning_curve"),
        ({"build": lambda: None}, "`build` of learning_curve"),
        ({"folds": 1}, "`folds` of learning_curve"),
        ({"folds": None}, "`folds` of learning_curve"),
        ({"monitor": "acuracy"}, "`monitor` of learning_curve"),
        ({"worthwhile": 0}, "`worthwhile` of learning_curve"),
        ({"processes": 0}, "`processes` of learning_curve"),
        ({"validation_data": (X, Y)}, "`validation_data` of learning_curve"),
    ],
)
def test_a_wrong_argument_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        curve_of(**wrong)


@pytest.mark.any_backend
def test_a_validation_curve_finds_the_value_that_fits(tmp_path):
    def with_rate(rate):
        model = build(8)
        model.optimizer.learning_rate = rate
        return model

    curve = validation_curve(
        *(with_rate, "rate", [1e-5, 0.3], X, Y),
        folds=3,
        epochs=15,
        batch_size=8,
        verbose=0,
        directory=tmp_path,
    )
    assert curve.best == 0.3
    assert 0.3 in curve.not_worse
    assert "try higher values" in curve.verdict
    assert "rate" in curve._repr_html_()
    assert len(curve.figure().axes) == 1
    json.dumps(curve.as_dict())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "values"),
    [("units", []), ("units", "12"), ("units", [None]), ("a b", [1])],
)
def test_wrong_values_are_refused(name, values):
    with pytest.raises(ValueError, match="of validation_curve must be"):
        validation_curve(build, name, values, X, Y, folds=2)


@pytest.mark.any_backend
def test_small_sizes_of_digits_foretell_the_error_of_all():
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target

    def build():
        layers = [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
        model = keras.Sequential(layers)
        model.compile(
            keras.optimizers.Adam(0.01),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    curve = learning_curve(
        *(build, x, y, [0.05, 0.1, 0.2, 0.4, 1.0]),
        folds=3,
        epochs=8,
        batch_size=128,
        verbose=0,
    )
    assert curve.verdict in ("more data", "cannot tell")
    small = LearningCurve(
        *("accuracy", True, curve.sizes[:-1]),
        *(curve.train_scores[:-1], curve.dev_scores[:-1]),
    )
    low, _, high = small.predict(curve.sizes[-1])
    assert low <= curve.dev_errors[-1].mean() <= high
    assert high - low < 0.1


@pytest.mark.any_backend
def test_a_curve_shows_itself():
    errors = np.array([[0.2], [0.14], [0.1], [0.07]]) + [[-0.01, 0, 0.01]]
    curve = LearningCurve("loss", False, (1, 2, 4, 8), errors, errors)
    assert repr(curve) == f"<LearningCurve of loss: {curve.verdict}>"
    assert curve.reason in str(curve)
    assert "<table>" in curve._repr_html_()
    assert curve.figure().axes[0].get_xscale() == "log"
