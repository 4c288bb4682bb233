import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from keras_regopt.diagnosis import split

pytestmark = pytest.mark.any_backend


def rows(parts):
    return [part.indices.tolist() for part in parts]


def shares_of_classes(parts, labels):
    return np.array(
        [
            [np.sum(labels[part.indices] == name) for part in parts]
            for name in np.unique(labels)
        ]
    )


@st.composite
def fractions(draw):
    weights = draw(
        st.lists(st.floats(0.1, 1.0), min_size=3, max_size=3).map(np.array)
    )
    return tuple(float(w) for w in weights / weights.sum())


@settings(deadline=None, max_examples=60)
@given(
    st.integers(30, 200),
    fractions(),
    st.sampled_from(["plain", "classes", "groups", "time", "order"]),
    st.integers(0, 2**32 - 1),
)
def test_parts_are_disjoint_and_cover_every_row(count, shares, how, seed):
    options = {
        "plain": {},
        "classes": {"stratify": np.arange(count) % 2},
        "groups": {"groups": np.arange(count) // 4},
        "time": {"time": np.arange(count)[::-1]},
        "order": {"shuffle": False},
    }[how]
    parts = split(np.arange(count), fractions=shares, seed=seed, **options)
    together = np.concatenate([part.x for part in parts])
    assert sorted(together) == list(range(count))
    for part in parts:
        np.testing.assert_array_equal(part.x, part.indices)
        assert len(part.x)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(12, 60), min_size=2, max_size=12),
    fractions(),
    st.integers(0, 100),
)
def test_each_class_and_part_is_within_one_row_of_its_share(
    members, shares, seed
):
    labels = np.repeat(np.arange(len(members)), members)
    parts = split(labels, labels, shares, stratify=True, seed=seed)
    got = shares_of_classes(parts, labels)
    assert np.abs(got - np.outer(members, shares)).max() < 1 + 1e-6
    wanted = len(labels) * np.array(shares)
    assert np.abs(got.sum(axis=0) - wanted).max() < 1 + 1e-6
    assert got.min() >= 1


@settings(deadline=None, max_examples=60)
@given(st.integers(10, 500), fractions())
def test_sizes_are_within_one_row_of_the_fractions(count, shares):
    sizes = [len(part.x) for part in split(np.zeros(count), None, shares)]
    assert np.abs(sizes - count * np.array(shares)).max() < 1


def test_digits_split_60_20_20_by_class():
    x, y = load_digits(return_X_y=True)
    (x_train, y_train), (x_dev, y_dev), (x_test, y_test) = split(
        x, y, stratify=True
    )
    sizes = [len(x_train), len(x_dev), len(x_test)]
    assert np.abs(sizes - 1797 * np.array([0.6, 0.2, 0.2])).max() <= 1
    for part, share in ((y_train, 0.6), (y_dev, 0.2), (y_test, 0.2)):
        wanted = share * np.bincount(y)
        assert np.abs(np.bincount(part) - wanted).max() <= 1


def test_one_seed_gives_one_split_and_another_seed_another():
    x, groups = np.arange(60), np.arange(60) // 3
    for options in ({}, {"stratify": x % 3}, {"groups": groups}):
        first = rows(split(x, seed=3, **options))
        assert rows(split(x, seed=3, **options)) == first
        assert rows(split(x, seed=4, **options)) != first


def test_drawing_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()
    split(np.arange(30), stratify=np.arange(30) % 3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_no_group_stands_in_two_parts_and_sizes_come_near():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), rng.integers(1, 20, 40))
    rng.shuffle(groups)
    parts = split(groups, groups=groups)
    kept = [set(part.x.tolist()) for part in parts]
    assert set.union(*kept) == set(range(40))
    assert sum(map(len, kept)) == 40
    sizes = np.array([len(part.x) for part in parts]) / len(groups)
    np.testing.assert_allclose(sizes, (0.6, 0.2, 0.2), atol=0.02)


def test_one_large_group_still_gives_sizes_that_come_near():
    groups = np.array([0] * 50 + list(range(1, 51)))
    sizes = [len(part.x) for part in split(groups, groups=groups)]
    np.testing.assert_allclose(sizes, (60, 20, 20), atol=1)


def test_groups_can_be_strings_and_stratified():
    labels = np.arange(300) % 3
    groups = np.array([f"patient {i // 6}" for i in range(300)])
    parts = split(labels, labels, stratify=True, groups=groups)
    got = shares_of_classes(parts, labels)
    np.testing.assert_allclose(got, np.outer([100] * 3, (0.6, 0.2, 0.2)))
    kept = [set(groups[part.indices]) for part in parts]
    assert sum(map(len, kept)) == 50


def test_train_comes_before_dev_and_dev_before_test():
    days = np.datetime64("2024-01-01") + np.random.default_rng(1).permutation(
        100
    )
    train, dev, test = split(days, time=days)
    assert train.x.max() < dev.x.min()
    assert dev.x.max() < test.x.min()
    assert [len(train.x), len(dev.x), len(test.x)] == [60, 20, 20]
    assert rows(split(days, time=True)) == rows(split(days, shuffle=False))
    assert split(days, time=True).train.indices.tolist() == list(range(60))


def test_rows_of_one_time_stay_in_one_part():
    days = np.repeat(np.arange(14), 7)
    kept = [set(part.x.tolist()) for part in split(days, time=days)]
    assert [len(k) for k in kept] == [8, 3, 3]
    assert sum(map(len, kept)) == 14


def test_dicts_lists_and_tuples_keep_their_structure():
    x = {"image": np.arange(20).reshape(10, 2), "more": [np.arange(10)] * 2}
    y = (np.arange(10), {"mask": np.arange(10.0)})
    part = split(x, y).dev
    assert isinstance(part.x, dict)
    assert isinstance(part.x["more"], list)
    assert isinstance(part.y, tuple)
    np.testing.assert_array_equal(part.x["image"][:, 0] // 2, part.indices)
    np.testing.assert_array_equal(part.x["more"][1], part.indices)
    np.testing.assert_array_equal(part.y[1]["mask"], part.indices)


def test_a_list_of_strings_is_one_array():
    part = split([f"text {i}" for i in range(10)], list(range(10))).test
    assert part.x == [f"text {i}" for i in part.indices]
    assert part.y == part.indices.tolist()


def test_a_tensor_of_the_backend_stays_one():
    x = keras.ops.arange(20, dtype="int32")
    parts = split(x, x % 2, stratify=True)
    assert type(parts.train.x) is type(x)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(parts.train.x), parts.train.indices
    )
    assert len(parts.dev.y) == 4


class Frame:
    """What `split` uses of a pandas object."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    iloc = property(lambda self: self)

    def __getitem__(self, rows):
        return Frame(self.values[rows])


def test_pandas_objects_are_cut_by_position_and_stay_what_they_are():
    part = split(Frame(np.arange(10))).train
    assert isinstance(part.x, Frame)
    np.testing.assert_array_equal(part.x.values, part.indices)


def test_one_hot_rows_and_columns_of_labels_can_be_stratified():
    labels = np.repeat([0, 1, 2], 10)
    expected = rows(split(labels, labels, stratify=True))
    for y in (np.eye(3)[labels], labels[:, None], labels.astype("float32")):
        assert rows(split(labels, y, stratify=True)) == expected


def test_nothing_is_changed_in_place():
    x, y = np.arange(30), np.arange(30) % 3
    data = {"a": x}
    split(data, y, stratify=y, groups=np.arange(30) // 2)
    np.testing.assert_array_equal(x, np.arange(30))
    np.testing.assert_array_equal(y, np.arange(30) % 3)
    assert data["a"] is x


def test_a_part_goes_into_fit_as_validation_data():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    train, dev, _ = split(np.ones((10, 2)), np.ones(10))
    history = model.fit(*train, validation_data=dev, verbose=0)
    assert "val_loss" in history.history


def bad(argument, **options):
    x = options.pop("x", np.arange(20))
    y = options.pop("y", np.arange(20) % 2)
    with pytest.raises(ValueError, match=f"`{argument}` of split must be"):
        split(x, y, **options)


@pytest.mark.parametrize(
    "shares",
    [
        (0.6, 0.2, 0.1),
        (0.8, 0.2),
        (1.0, 0.0, 0.0),
        (1.2, -0.1, -0.1),
        (0.98, 0.01, 0.01),
        (0.6, 0.2, float("nan")),
        0.6,
    ],
)
def test_fractions_that_make_no_three_parts_are_refused(shares):
    bad("fractions", fractions=shares)


def test_a_class_with_too_few_members_is_refused_by_name():
    labels = [0] * 18 + [7] * 2
    bad("stratify", y=labels, stratify=True)
    with pytest.raises(ValueError, match="7: 2"):
        split(labels, labels, stratify=True)
    bad("stratify", stratify=np.arange(20) // 3)


def test_labels_that_are_no_classes_are_refused():
    bad("stratify", y=np.linspace(0, 1, 20), stratify=True)
    bad("y", y=None, stratify=True)
    bad("y", y={"a": np.zeros(20)}, stratify=True)
    bad("y", y=np.ones((20, 3)), stratify=True)
    bad("stratify", stratify=[0, 1])


def test_arrays_of_different_length_are_refused():
    bad("y", y=np.zeros(19))
    bad("y", y={"a": np.zeros(19), "b": np.zeros(19)})
    bad("y", y={"a": np.zeros(20), "b": np.zeros(19)})
    bad("x", x={"a": np.zeros(20), "b": np.zeros(21)}, y=None)
    bad("x", x={"a": np.zeros(20), "b": np.zeros(21)})
    bad("groups", groups=np.zeros(19))
    bad("time", time=np.zeros(19))


def test_the_error_of_different_lengths_names_what_is_of_another_length():
    x = {"a": np.zeros(20), "b": np.zeros(20)}
    with pytest.raises(ValueError, match="`y` of split must be of the length"):
        split(x, np.zeros(19))
    # Samples in a list are taken for so many inputs.
    with pytest.raises(
        ValueError, match=r"`x` of .*5\]: 3, y: 20, \.\.\.'.* not several"
    ):
        split([np.zeros(3)] * 20, np.zeros(20))
    with pytest.raises(ValueError, match=r"`y` of .* not several samples"):
        split(np.zeros((20, 3)), [np.zeros(3)] * 20)


def test_missing_groups_and_labels_are_refused():
    mixed = [None, *["a", "b", "c"] * 6, "c"]
    bad("groups", groups=mixed)
    bad("stratify", stratify=mixed)
    bad("stratify", stratify=[float("nan")] * 2 + [1.0] * 18)


def test_data_without_rows_are_refused():
    bad("x", x=None, y=None)
    bad("x", x=3.0, y=None)
    bad("x", x=iter([1, 2, 3]), y=None)
    bad("fractions", x=[], y=None)


def test_time_order_goes_with_nothing_else():
    bad("shuffle", time=True, shuffle=True)
    bad("stratify", time=True, stratify=True)
    bad("groups", time=np.arange(20), groups=np.arange(20))
    bad("groups", shuffle=False, groups=np.arange(20))
    bad("time", time=np.full(20, np.nan))
    bad("time", time=np.zeros(20))


def test_too_few_groups_are_refused():
    bad("groups", groups=np.arange(20) % 2)
    bad("stratify", groups=np.arange(20) // 10 + np.arange(20) // 15,
        stratify=np.arange(20) // 10)  # fmt: skip


@pytest.mark.parametrize("seed", [-1, 0.5, None, 2**32])
def test_a_bad_seed_is_refused(seed):
    bad("seed", seed=seed)
