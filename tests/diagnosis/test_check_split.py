import numpy as np
import pytest

from keras_regopt.diagnosis import SplitWithTrainDev, check_split, split

pytestmark = pytest.mark.any_backend


def rows(count=200, width=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)), rng.integers(0, 2, count)


def kinds(*args, **options):
    return {(leak.kind, leak.parts) for leak in check_split(*args, **options)}


@pytest.mark.parametrize("seed", range(10))
def test_a_clean_split_has_no_leak(seed):
    x, y = rows(seed=seed)
    groups, time = np.arange(200) // 5, np.arange(200)
    assert check_split(split(x, y, groups=groups), groups=groups) == ()
    assert check_split(split(x, y, time=True), time=time) == ()
    images = x.reshape(200, 3, 2, 1)
    assert check_split(split(images, x[:, 0] * 0 + y)) == ()


@pytest.mark.parametrize("seed", range(10))
def test_planted_copies_are_found(seed):
    x, y = rows(seed=seed)
    train, dev, test = split(x, y, seed=seed)
    dev.x[3:5] = train.x[:2]
    test.x[0] = train.x[9] + 1e-4
    leaks = check_split({"train": train, "dev": dev, "test": test})
    assert [(k.kind, k.size, k.where) for k in leaks] == [
        ("exact duplicates", 2, (3, 4)),
        ("near duplicates", 1, (0,)),
    ]
    assert "2 of 40 rows of dev are equal to rows of train" in str(leaks[0])


def test_copies_of_images_are_found_beyond_many_columns():
    x = np.random.default_rng(0).normal(size=(120, 12, 12, 1))
    train, dev, test = split(x, np.arange(120) % 2)
    dev.x[5] = train.x[7] * 1.001
    (leak,) = check_split({"train": train, "dev": dev, "test": test})
    assert (leak.kind, leak.where) == ("near duplicates", (5,))


def test_groups_and_times_in_two_parts_are_found():
    x, y = rows()
    parts, groups = split(x, y), np.arange(200) // 5
    found = kinds(parts, groups=groups, time=np.arange(200))
    assert ("shared groups", ("train", "dev")) in found
    assert ("shared groups", ("dev", "test")) in found
    assert ("time order", ("train", "test")) in found


@pytest.mark.parametrize(
    "column",
    [
        lambda y, rng: y + 0.3 * rng.random(200),
        lambda y, rng: np.where(y == 1, 7, 3),
        lambda y, rng: np.where(y == 1, np.nan, rng.random(200)),
    ],
)
def test_a_column_that_tells_the_label_is_found(column):
    x, y = rows()
    x[:, 4] = column(y, np.random.default_rng(1))
    leaks = check_split(split(x, y), near=None)
    assert [(k.kind, k.where) for k in leaks] == [
        ("label in the inputs", ("column 4 of x",))
    ]
    # A column that is right nine times in ten is what a model is for.
    x[:, 4] = np.where(np.random.default_rng(2).random(200) < 0.9, y, 1 - y)
    assert check_split(split(x, y), near=None) == ()


def test_a_copy_of_a_numeric_target_is_found():
    x, _ = rows()
    y = x[:, 1] * 30 + 2
    (leak,) = check_split(split(x, y))
    assert leak.where == ("column 1 of x",)
    assert check_split(split(x, y + 9 * x[:, 0])) == ()


def test_strings_and_dicts_are_compared_too():
    words = np.array([f"text {i % 90}" for i in range(100)])
    x = {"words": words, "length": np.arange(100) % 90}
    parts = split(x, np.arange(100) % 2)
    assert {kind for kind, _ in kinds(parts)} == {"exact duplicates"}


@pytest.mark.parametrize("how", ["plain", "classes", "groups", "time", "order"])
def test_train_dev_rows_come_from_the_train_part(how):
    options = {
        "plain": {},
        "classes": {"stratify": np.arange(200) % 2},
        "groups": {"groups": np.arange(200) // 4},
        "time": {"time": np.arange(200)[::-1]},
        "order": {"shuffle": False},
    }[how]
    three = split(np.arange(200), **options)
    four = split(np.arange(200), train_dev=0.05, **options)
    assert isinstance(four, SplitWithTrainDev)
    train, held_out, dev, test = four
    assert (
        len(held_out.x) == 10 if how != "groups" else 6 <= len(held_out.x) <= 14
    )
    np.testing.assert_array_equal(dev.x, three.dev.x)
    np.testing.assert_array_equal(test.x, three.test.x)
    both = [*train.x, *held_out.x]
    assert sorted(both) == sorted(three.train.x)
    if how == "classes":
        assert (held_out.x % 2).sum() == 5
    if how == "groups":
        assert not set(train.x // 4) & set(held_out.x // 4)
    if how in ("time", "order"):
        times = -1 if how == "time" else 1
        assert (times * held_out.x).min() > (times * train.x).max()
    assert four.train_dev.indices.tolist() == held_out.x.tolist()
    assert check_split(four) == ()


@pytest.mark.parametrize("fraction", [0, 0.6, -0.1, "some", True])
def test_a_bad_train_dev_is_refused(fraction):
    with pytest.raises(ValueError, match="`train_dev` of split must be"):
        split(np.arange(100), train_dev=fraction)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("parts", {"parts": 3}),
        ("parts", {"parts": {"train": (np.ones(3), None)}}),
        ("parts", {"parts": {"train": np.ones(3), "dev": np.ones(3)}}),
        ("near", {"near": 1.0}),
        ("groups", {"groups": np.arange(10)}),
        ("time", {"time": {"train": np.arange(3)}}),
    ],
)
def test_bad_arguments_are_refused(name, options):
    options = {"parts": split(*rows()), **options}
    with pytest.raises(ValueError, match=f"`{name}` of check_split must be"):
        check_split(options.pop("parts"), **options)
