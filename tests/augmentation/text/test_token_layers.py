"""What all layers of token ids promise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    Choice,
    Compose,
    RandomSpanCrop,
    RandomTokenDeletion,
    RandomTokenInsertion,
    RandomTokenReplacement,
    RandomTokenSwap,
    SynonymReplacement,
    TokenCutoff,
    TokenMasking,
    map_dataset,
)

to_numpy = keras.ops.convert_to_numpy

# Ids 0 to 4 are padding, unknown, start, end and mask.
VOCABULARY = 60
SPECIAL = {"special_ids": [2, 3]}
TABLE = np.full((VOCABULARY, 3), -1)
TABLE[10:, 0] = np.arange(10, VOCABULARY)[::-1]
TABLE[30:, 1] = 12

LAYERS = {
    "swap": lambda **k: RandomTokenSwap(0.4, **k),
    "deletion": lambda **k: RandomTokenDeletion(0.4, **k),
    "insertion": lambda **k: RandomTokenInsertion(0.4, **k),
    "inserted synonyms": lambda **k: RandomTokenInsertion(0.4, TABLE, **k),
    "synonyms": lambda **k: SynonymReplacement(TABLE, 0.4, **k),
    "replacement": lambda **k: RandomTokenReplacement(0.4, VOCABULARY, **k),
    "masking": lambda **k: TokenMasking(4, 0.4, VOCABULARY, **k),
    "masked spans": lambda **k: TokenMasking(
        4, 0.4, mean_span=3.0, continuations=TABLE[:, 1] == 12, **k
    ),
    "crop": lambda **k: RandomSpanCrop(0.5, **k),
    "cutoff": lambda **k: TokenCutoff(0.4, **k),
    "span": lambda **k: TokenCutoff(0.4, span=True, **k),
}
# Those that move no token.
STAY = {
    "synonyms",
    "replacement",
    "masking",
    "masked spans",
    "cutoff",
    "span",
}
every_layer = pytest.mark.parametrize("name", list(LAYERS))


def texts(batch=64, length=16, padding_id=0, seed=0):
    """Ids with a start, an end, and padding behind."""
    random = np.random.default_rng(seed)
    ids = random.integers(10, VOCABULARY, (batch, length)).astype("int32")
    sizes = random.integers(3, length + 1, batch)[:, None]
    index = np.arange(length)
    ids[:, 0] = 2
    ids = np.where(index == sizes - 1, 3, ids)
    return np.where(index >= sizes, padding_id, ids).astype("int32")


def augmented(layer, inputs):
    outputs = layer(inputs, training=True)
    return keras.tree.map_structure(to_numpy, outputs)


@every_layer
@pytest.mark.any_backend
def test_neither_padding_nor_special_ids_change(name):
    ids = texts(1600)
    new = augmented(LAYERS[name](seed=0, **SPECIAL), ids)
    assert new.shape == ids.shape
    assert new.dtype == ids.dtype
    assert (new != ids).any()
    assert (new[:, 0] == 2).all()
    assert ((new == 3).sum(axis=1) == 1).all()
    assert ((new == 2).sum(axis=1) == 1).all()
    if name in STAY:
        kept = ids < 10
        np.testing.assert_array_equal(new[kept], ids[kept])
        return
    # The padding is behind the end.
    end = np.argmax(new == 3, axis=1)[:, None]
    np.testing.assert_array_equal(new == 0, np.arange(16) > end)


@every_layer
@pytest.mark.any_backend
def test_a_mask_knows_better_than_the_id_of_padding(name):
    ids = texts(200, padding_id=7)
    # 7 is a token, too: the padding is behind it.
    ids[:, 1] = np.where(ids[:, 1] == 3, 3, 7)
    ids[:, 2] = np.where(ids[:, 1] == 3, 7, ids[:, 2])
    ends = np.argmax(ids == 3, axis=1)[:, None]
    mask = np.arange(16) <= ends
    layer = LAYERS[name](seed=0, padding_id=7, **SPECIAL)
    data = {"token_ids": ids, "padding_mask": mask, "label": ["a"] * 200}
    out = layer(data, training=True)
    assert out["label"] == ["a"] * 200
    new, new_mask = to_numpy(out["token_ids"]), to_numpy(out["padding_mask"])
    assert new_mask.dtype == bool
    assert (new[~new_mask] == 7).all()
    if name in ("swap", "deletion", "replacement", "masking", "crop"):
        assert (new[mask & (ids == 7)] != 7).any()
    end = np.argmax(new == 3, axis=1)[:, None]
    if "cutoff" not in name and name != "span":
        np.testing.assert_array_equal(new_mask, np.arange(16) <= end)


@every_layer
@pytest.mark.any_backend
def test_a_text_knows_nothing_of_its_neighbours_and_the_padding(name):
    ids = texts(12)
    alone = augmented(LAYERS[name](seed=5, **SPECIAL), ids)
    # Others, and more padding; insertion would use it, so it has enough.
    wide = np.pad(ids, ((0, 0), (0, 9)))
    wide[1::2] = wide[::-1][::2]
    other = augmented(LAYERS[name](seed=5, **SPECIAL), wide)
    room = (ids == 0).sum(axis=1) >= 8
    same = (np.arange(12) % 2 == 0) & (room | ("insert" not in name))
    assert same.sum() >= 2
    np.testing.assert_array_equal(other[same][:, :16], alone[same])
    assert (other[same][:, 16:] == 0).all()


@every_layer
@pytest.mark.any_backend
def test_bears_one_token_and_none(name):
    layer = LAYERS[name](seed=0, **SPECIAL)
    lone = np.array([[11, 0, 0]] * 5 + [[0, 0, 0]] * 5 + [[2, 3, 0]] * 5)
    new = augmented(layer, lone)
    assert (new[5:] == lone[5:]).all()
    assert ((new[:5] != 0).sum(axis=1) >= 1).all()
    if name in ("swap", "deletion", "crop", "cutoff", "span"):
        np.testing.assert_array_equal(new, lone)
    single = augmented(layer, np.array([11]))
    assert single.shape == (1,)
    assert augmented(layer, np.zeros((0, 4), "int32")).shape == (0, 4)


@every_layer
@pytest.mark.any_backend
def test_changes_nothing_at_a_fraction_of_zero(name):
    layer = LAYERS[name](seed=0)
    if name == "crop":
        layer.keep = 1.0
    else:
        layer.fraction = 0.0
    ids = texts(8)
    np.testing.assert_array_equal(augmented(layer, ids), ids)
    np.testing.assert_array_equal(to_numpy(layer(ids, training=False)), ids)


def test_all_backends_give_the_same_for_the_same_parameters():
    draws = {"key": [3], "keep": [0.5], "start": [0.2]}
    parameters = {
        name: keras.ops.convert_to_tensor(np.array(x, dtype))
        for (name, x), dtype in zip(
            draws.items(), ["int32", "float32", "float32"], strict=True
        )
    }
    ids = keras.ops.convert_to_tensor(texts(3)[2:])
    found = {}
    for name, make in LAYERS.items():
        layer = make(**SPECIAL)
        output, _ = layer.advance(ids, {}, parameters, None, (1, 16))
        found[name] = to_numpy(output)[0].tolist()
    assert found == EXPECTED


EXPECTED = {
    "swap": [2, 31, 11, 37, 30, 24, 16, 53, 14, 11, 10, 34, 3, 0, 0, 0],
    "deletion": [2, 53, 37, 24, 34, 11, 10, 3, 0, 0, 0, 0, 0, 0, 0, 0],
    "insertion": [2, 53, 11, 10, 37, 14, 34, 24, 34, 31, 24, 30, 11, 10, 16, 3],
    "inserted synonyms": [
        2,
        53,
        11,
        59,
        37,
        14,
        35,
        24,
        34,
        31,
        45,
        30,
        11,
        10,
        16,
        3,
    ],
    "synonyms": [2, 53, 58, 37, 55, 24, 34, 38, 12, 11, 10, 53, 3, 0, 0, 0],
    "replacement": [2, 53, 12, 37, 35, 24, 34, 43, 59, 11, 10, 24, 3, 0, 0, 0],
    "masking": [2, 53, 4, 37, 4, 24, 34, 19, 4, 11, 10, 4, 3, 0, 0, 0],
    "masked spans": [2, 53, 11, 37, 14, 24, 34, 31, 30, 11, 10, 16, 3, 0, 0, 0],
    "crop": [2, 11, 37, 14, 24, 34, 31, 3, 0, 0, 0, 0, 0, 0, 0, 0],
    "cutoff": [2, 53, 0, 37, 0, 24, 34, 0, 0, 11, 10, 0, 3, 0, 0, 0],
    "span": [2, 53, 11, 37, 14, 24, 34, 0, 0, 0, 0, 16, 3, 0, 0, 0],
}


@pytest.mark.any_backend
def test_dicts_of_preprocessors_follow_their_tokens():
    ids = texts(32)
    data = {
        "token_ids": ids,
        "padding_mask": ids > 0,
        "segment_ids": (np.arange(16) > 6) * (ids > 0),
        "token_labels": ids * 100,
    }
    layers = [LAYERS[name](**SPECIAL) for name in LAYERS if name not in STAY]
    layers.remove(layers[3])
    out = augmented(Compose(layers, seed=0), data)
    new = out["token_ids"]
    np.testing.assert_array_equal(out["padding_mask"], new > 0)
    np.testing.assert_array_equal(out["token_labels"], new * 100)
    # Segments stay one behind the other.
    end = np.argmax(new == 3, axis=1)
    for row, last in zip(out["segment_ids"], end, strict=True):
        assert (np.diff(row[: last + 1]) >= 0).all()
        assert (row[last + 1 :] == 0).all()


@pytest.mark.any_backend
def test_works_in_tf_data_with_unknown_lengths():
    rows = tf.data.Dataset.from_tensor_slices(texts(12))
    short = rows.map(lambda x: x[: tf.reduce_sum(tf.cast(x > 0, "int32"))])
    layers = [LAYERS[name](**SPECIAL) for name in ("deletion", "swap")]
    layers += [
        LAYERS[name](**SPECIAL) for name in ("insertion", "masked spans")
    ]
    mapped = map_dataset(short, Compose(layers, seed=0)).as_numpy_iterator()
    for new, old in zip(mapped, short.as_numpy_iterator(), strict=True):
        assert new.shape == old.shape
        assert (new[0], (new == 3).sum()) == (2, 1)
    with pytest.raises(ValueError, match="must not be ragged"):
        list(short.ragged_batch(4).map(layers[0]))


@pytest.mark.any_backend
def test_a_choice_takes_each_text_through_one_layer():
    choice = Choice([make(**SPECIAL) for make in LAYERS.values()], seed=0)
    ids = texts(64)
    changed = (augmented(choice, ids) != ids).any(axis=1)
    # All but the shortest texts change, in most layers.
    assert changed.mean() > 0.7


@pytest.mark.any_backend
def test_left_padding_stays_on_the_left():
    ids = texts(64)
    left = np.array([np.roll(row, (row == 0).sum()) for row in ids])
    for name in ("deletion", "insertion", "crop"):
        new = augmented(LAYERS[name](seed=0, **SPECIAL), left)
        padded = np.diff((new == 0).astype(int), axis=1)
        # From padding to tokens at most once, and never back.
        mixed = (left[:, 0] == 0) & (new[:, 0] == 0)
        assert (padded[mixed] <= 0).all()
        assert mixed.any()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomTokenSwap(1.5), "`fraction` of RandomTokenSwap"),
        (lambda: RandomTokenDeletion(-0.1), "`fraction` of RandomTokenDel"),
        (lambda: RandomTokenSwap(padding_id=-1), "`padding_id` of"),
        (lambda: RandomTokenSwap(special_ids=[-1]), "`special_ids` of"),
        (lambda: RandomTokenSwap(special_ids=3), "`special_ids` of"),
        (lambda: RandomSpanCrop(1.5), "`keep` of RandomSpanCrop"),
        (lambda: TokenCutoff(span=1), "`span` of TokenCutoff"),
        (
            lambda: SynonymReplacement([[1, 2], [0, 5]]),
            "ids from 0 to 1, its rows, or -1",
        ),
        (lambda: SynonymReplacement([[-1], [-1]]), "at least one synonym"),
        (lambda: SynonymReplacement([1, 2]), "shape \\(vocabulary, count\\)"),
        (lambda: SynonymReplacement([[0.5]]), "shape \\(vocabulary, count\\)"),
        (lambda: SynonymReplacement([[1], [1, 0]]), "`table` of Synonym"),
        (lambda: SynonymReplacement([[-1], [0]]), "special ids among the syn"),
        (
            lambda: SynonymReplacement(TABLE, special_ids=[60]),
            "`special_ids` of SynonymReplacement must be below 60",
        ),
        (
            lambda: SynonymReplacement(TABLE, padding_id=99),
            "`padding_id` of SynonymReplacement must be below 60",
        ),
        (lambda: RandomTokenInsertion(table=[[0]]), "special ids among"),
        (lambda: RandomTokenReplacement(), "`vocabulary_size` of"),
        (
            lambda: RandomTokenReplacement(vocabulary_size=2, special_ids=[1]),
            "larger than the number of padding and special ids",
        ),
        (
            lambda: RandomTokenReplacement(token_counts=[0, 0]),
            "`token_counts` of",
        ),
        (
            lambda: RandomTokenReplacement(token_counts=[1, 2], idf=[1]),
            "`idf` of RandomTokenReplacement must be a number >= 0 for each "
            "of the 2 ids",
        ),
        (
            lambda: RandomTokenReplacement(vocabulary_size=2, idf=[1, 1]),
            "`token_counts` of .* must be given where `idf` is",
        ),
        (lambda: TokenMasking(-1), "`mask_id` of TokenMasking"),
        (
            lambda: TokenMasking(9, vocabulary_size=9),
            "`mask_id` of TokenMasking must be below 9",
        ),
        (
            lambda: TokenMasking(4, mask_rate=0.95),
            "`random_rate` of TokenMasking must be at most 1 - mask_rate",
        ),
        (lambda: TokenMasking(4, mean_span=0.5), "`mean_span` of"),
        (lambda: TokenMasking(4, longest_span=0), "`longest_span` of"),
        (
            lambda: TokenMasking(4, vocabulary_size=9, continuations=[True]),
            "`continuations` of TokenMasking must be True or False for each "
            "of the 9 ids",
        ),
        (lambda: TokenMasking(4, continuations=[0, 7]), "`continuations` of"),
    ],
)
def test_refuses_bad_arguments_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.any_backend
def test_refuses_bad_ids():
    with pytest.raises(ValueError, match="must be integers"):
        RandomTokenSwap()(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="ids from -1 to 5"):
        RandomTokenSwap()(np.array([[5, -1]]))
    # Also within a container, and of a layer with a table.
    layer = Compose([RandomTokenSwap(), SynonymReplacement(TABLE)])
    with pytest.raises(ValueError, match="below 60"):
        layer(np.array([[0, 60]]))
    with pytest.raises(ValueError, match="rank 1, or 2"):
        RandomTokenSwap()(np.ones((2, 3, 4), "int32"))
    with pytest.raises(ValueError, match="must not be empty"):
        RandomTokenSwap()(np.ones((2, 0), "int32"))


@pytest.mark.any_backend
def test_labels_that_a_layer_makes_are_not_lost():
    pairs = tf.data.Dataset.from_tensor_slices(
        (np.full((4, 6), 7, "int32"), np.arange(4))
    ).batch(2)
    layer = TokenMasking(mask_id=3, vocabulary_size=50, labels=True, seed=0)
    with pytest.raises(ValueError, match="adds token_labels, token_weights"):
        map_dataset(pairs, layer)
    dicts = pairs.map(lambda x, y: ({"token_ids": x}, y))
    x, _ = next(iter(map_dataset(dicts, layer)))
    assert {"token_ids", "token_labels", "token_weights"} == set(x)
