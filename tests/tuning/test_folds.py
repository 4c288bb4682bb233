"""How a search splits its data."""

import keras
import numpy as np
import pytest
from fake_search import (
    FakeTuner,
    Returns,
    X,
    Y,
    random_oracle,
    searched,
)
from sklearn import model_selection

pytestmark = pytest.mark.any_backend


def test_all_trials_share_the_folds_and_each_sample_validates_once(tmp_path):
    model = Returns(*[0.5] * 9)
    searched(tmp_path, model, random_oracle("loss", 3), folds=3)
    seen = [c[1]["validation_data"][1].tolist() for c in model.calls]
    assert seen[0:3] == seen[3:6] == seen[6:9]
    assert sorted(seen[0] + seen[1] + seen[2]) == Y.tolist()
    for args, kwargs in model.calls:
        both = set(args[1]) | set(kwargs["validation_data"][1])
        assert both == set(Y)
        assert not set(args[1]) & set(kwargs["validation_data"][1])


@pytest.mark.parametrize(
    "y",
    [
        np.repeat([0, 1], [8, 4]),
        np.repeat([True, False], [8, 4]),
        np.repeat(["a", "b"], [8, 4]),
        np.repeat([[0], [1]], [8, 4], axis=0),
        np.repeat(np.eye(2), [8, 4], axis=0),
    ],
    ids=["integers", "booleans", "strings", "column", "one-hot"],
)
def test_classes_are_spread_evenly_over_the_folds(tmp_path, y):
    model = Returns(*[0.5] * 4)
    searched(tmp_path, model, random_oracle("loss"), y=y, folds=4)
    for _, kwargs in model.calls:
        part = kwargs["validation_data"][1]
        _, counts = np.unique(part, axis=0, return_counts=True)
        assert sorted(counts) == [1, 2]


def test_floats_are_stratified_only_when_asked(tmp_path):
    y = np.repeat([0.0, 1.0], [8, 4])
    counts = {}
    for stratify in ("auto", True, False):
        model = Returns(*[0.5] * 4)
        tuner = FakeTuner(
            model,
            random_oracle("loss"),
            folds=4,
            stratify=stratify,
            directory=tmp_path / str(stratify),
        )
        tuner.search(X, y, verbose=0)
        counts[stratify] = [
            c[1]["validation_data"][1].sum() for c in model.calls
        ]
    assert counts[True] == [1] * 4
    assert counts["auto"] == counts[False] != [1] * 4


@pytest.mark.parametrize("y", [Y, Y.astype(int) % 2])
def test_a_group_is_never_split(tmp_path, y):
    groups = np.array(list("aabbccddeeff"))
    model = Returns(*[0.5] * 3)
    searched(
        tmp_path, model, random_oracle("loss"), y=y, folds=3, groups=groups
    )
    for args, kwargs in model.calls:
        train = args[0].ravel().astype(int)
        val = kwargs["validation_data"][0].ravel().astype(int)
        assert not set(groups[train]) & set(groups[val])


def test_a_splitter_of_scikit_learn_makes_the_folds(tmp_path):
    splitter = model_selection.TimeSeriesSplit(3)
    model = Returns(*[0.5] * 3)
    searched(tmp_path, model, random_oracle("loss"), folds=splitter)
    for (train, val), (args, kwargs) in zip(
        splitter.split(X), model.calls, strict=True
    ):
        assert args[1].tolist() == Y[train].tolist()
        assert kwargs["validation_data"][1].tolist() == Y[val].tolist()


def test_structures_of_arrays_are_split_alike_and_left_unchanged(tmp_path):
    x = {"a": X, "b": (X + 100, keras.ops.convert_to_tensor(X + 200))}
    y = [Y, Y + 300]
    model = Returns(0.5, 0.5)
    searched(tmp_path, model, random_oracle("loss"), x=x, y=y, sample_weight=Y)
    for args, kwargs in model.calls:
        val_x, val_y, val_weight = kwargs["validation_data"]
        for part_x, part_y, weight in (
            (*args, kwargs["sample_weight"]),
            (val_x, val_y, val_weight),
        ):
            rows = part_x["a"].ravel()
            assert (part_x["b"][0].ravel() == rows + 100).all()
            assert (part_x["b"][1].ravel() == rows + 200).all()
            assert (part_y[0] == rows).all()
            assert (part_y[1] == rows + 300).all()
            assert (weight == rows).all()
    assert set(x) == {"a", "b"}


def test_without_targets_only_the_inputs_are_passed(tmp_path):
    model = Returns(0.5, 0.5)
    searched(tmp_path, model, random_oracle("loss"), y=None)
    args, kwargs = model.calls[0]
    assert len(args) == 1
    assert kwargs["validation_data"][1] is None


def test_classes_that_are_none_cannot_be_stratified(tmp_path):
    tuner = FakeTuner(
        Returns(), random_oracle(), stratify=True, directory=tmp_path
    )
    with pytest.raises(ValueError, match="not one array of class labels"):
        tuner.search(X, Y + 0.5)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(1)])
def test_a_splitter_without_a_seed_is_refused_at_the_start(
    tmp_path, random_state
):
    splitter = model_selection.KFold(2, shuffle=True, random_state=random_state)
    with pytest.raises(ValueError, match=r"Give it a seed, an integer"):
        searched(tmp_path, Returns(), random_oracle("loss"), folds=splitter)
    assert not (tmp_path / "untitled_project" / "oracle.json").exists()


@pytest.mark.parametrize(
    "splitter",
    [
        model_selection.ShuffleSplit(1, test_size=4, random_state=1),
        model_selection.PredefinedSplit([-1] * 8 + [0] * 4),
    ],
)
def test_a_splitter_may_make_a_single_split(tmp_path, splitter, capsys):
    model = Returns(0.5, 0.25, 0.75)
    tuner = searched(
        tmp_path, model, random_oracle("loss", 2), folds=splitter, verbose=1
    )
    best, other = tuner.cross_validation_results()
    assert best["mean"] == 0.25
    assert other["mean"] == 0.5
    assert best["std"] is None
    assert best["standard_error"] is None
    assert len(model.calls[0][1]["validation_data"][0]) == 4
    shown = capsys.readouterr().out
    assert "Fold 1 of 1: loss 0.5" in shown
    assert "  loss 0.25; best so far 0.25 (trial 2)" in shown
    tuner.results_summary()
    assert "Trial 1: 0.25\n" in capsys.readouterr().out
    assert "±" not in tuner.cross_validation_results()._repr_html_()
    # The last fit has all the data.
    tuner.get_best_models()
    assert len(model.calls[-1][0][0]) == 12


def test_the_caller_may_give_the_only_split(tmp_path):
    model = Returns(0.5, 0.25)
    validation = (X[:3] + 100, Y[:3], np.ones(3))
    searched(
        tmp_path,
        model,
        random_oracle("loss"),
        folds=None,
        validation_data=validation,
        sample_weight=Y,
    )
    [(args, kwargs)] = model.calls
    np.testing.assert_array_equal(args[0], X)
    np.testing.assert_array_equal(kwargs["sample_weight"], Y)
    for given, expected in zip(
        kwargs["validation_data"], validation, strict=True
    ):
        np.testing.assert_array_equal(given, expected)
    # Other validation data is another search.
    with pytest.raises(ValueError, match="`validation_data` must be"):
        searched(
            tmp_path,
            model,
            random_oracle("loss"),
            folds=None,
            validation_data=(X[:4], Y[:4]),
            sample_weight=Y,
        )


def test_datasets_are_passed_on_where_nothing_is_split(tmp_path):
    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X, Y

    data, validation = Data(), Data()
    model = Returns(0.5, 0.25)
    options = {"y": None, "folds": None}
    tuner = searched(
        tmp_path,
        model,
        random_oracle("loss"),
        x=data,
        validation_data=validation,
        **options,
    )
    tuner.get_best_models()
    assert model.calls[0][0] == model.calls[1][0] == (data,)
    assert model.calls[0][1]["validation_data"] is validation
    with pytest.raises(ValueError, match="since `folds` is None"):
        searched(tmp_path / "a", model, x=data, **options)
    with pytest.raises(ValueError, match="Turn a dataset or a generator"):
        searched(
            tmp_path / "b",
            model,
            x=iter([X]),
            validation_data=validation,
            **options,
        )
