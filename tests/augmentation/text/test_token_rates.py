"""How often and how the layers of token ids change a token."""

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import (
    Compose,
    RandomSpanCrop,
    RandomTokenDeletion,
    RandomTokenInsertion,
    RandomTokenReplacement,
    RandomTokenSwap,
    SynonymReplacement,
    TokenCutoff,
    TokenMasking,
)

to_numpy = keras.ops.convert_to_numpy

# A text of which every token is another: its number tells where it was.
TEXT = np.concatenate([[2], np.arange(10, 30), [3], np.zeros(10, int)])
COPIES = np.tile(TEXT, (1000, 1)).astype("int32")
SPECIAL = {"special_ids": [2, 3], "seed": 0}


def augmented(layer, inputs):
    outputs = layer(inputs, training=True)
    return keras.tree.map_structure(to_numpy, outputs)


def close(share, rate, count):
    """Within four standard deviations of a binomial."""
    sigma = np.sqrt(rate * (1 - rate) / count)
    assert share == pytest.approx(rate, abs=4 * sigma)


@pytest.mark.parametrize("fraction", [0.1, 0.6])
def test_swaps_permute_the_free_tokens(fraction):
    new = augmented(RandomTokenSwap(fraction, **SPECIAL), COPIES)
    np.testing.assert_array_equal(np.sort(new), np.sort(COPIES))
    # Two tokens of a pair share their draw.
    close((new != COPIES)[:, 1:21].mean(), fraction, 10_000)


def test_deletions_keep_the_order():
    new = augmented(RandomTokenDeletion(0.3, **SPECIAL), COPIES)
    close(1 - (new > 9).sum() / 20_000, 0.3, 20_000)
    sizes = (new != 0).sum(axis=1)
    for row, size in zip(new[:100], sizes, strict=False):
        assert (np.diff(row[1 : size - 1]) > 0).all()
        assert row[size - 1] == 3


@pytest.mark.any_backend
def test_everything_deleted_leaves_any_one():
    new = augmented(RandomTokenDeletion(1.0, **SPECIAL), COPIES)
    assert ((new > 9).sum(axis=1) == 1).all()
    # All are equally likely: 20 cells of 50 each.
    counts = np.bincount(new[:, 1], minlength=30)[10:30]
    assert np.abs(counts - 50).max() < 4.5 * np.sqrt(50)


@pytest.mark.any_backend
def test_insertions_are_of_the_text_and_lose_nothing():
    new = augmented(RandomTokenInsertion(0.2, **SPECIAL), COPIES)
    counts = np.array([np.bincount(row, minlength=30) for row in new[:200]])
    assert (counts[:, 10:] >= 1).all()
    close(((new > 9).sum(axis=1) - 20).mean() / 20, 0.2, 20_000)


@pytest.mark.any_backend
def test_insertions_stop_where_the_room_ends():
    new = augmented(RandomTokenInsertion(1.0, **SPECIAL), COPIES)
    assert ((new > 9).sum(axis=1) == 30).all()
    assert (new[:, -1] == 3).all()
    full = np.arange(10, 26)[None].astype("int32")
    np.testing.assert_array_equal(
        augmented(RandomTokenInsertion(1.0, seed=0), full), full
    )


@pytest.mark.any_backend
def test_inserts_synonyms_of_the_text():
    table = np.full((50, 1), -1)
    table[10:30, 0] = np.arange(30, 50)
    layer = RandomTokenInsertion(0.3, table, **SPECIAL)
    new = augmented(layer, COPIES)
    np.testing.assert_array_equal(
        np.sort(np.where((new > 9) & (new < 30), new, 0))[:, -20:],
        np.tile(np.arange(10, 30), (1000, 1)),
    )
    close((new >= 30).sum() / 20_000, 0.3, 20_000)


@pytest.mark.any_backend
def test_replaces_by_synonyms_where_there_are_some():
    table = np.full((50, 2), -1)
    table[10:20] = [[40, 41]] * 10
    new = augmented(SynonymReplacement(table, 0.25, **SPECIAL), COPIES)
    np.testing.assert_array_equal(new[:, 11:], COPIES[:, 11:])
    changed = new[:, 1:11] != COPIES[:, 1:11]
    close(changed.mean(), 0.25, 10_000)
    assert set(new[:, 1:11][changed]) == {40, 41}
    close((new == 40).sum() / changed.sum(), 0.5, changed.sum())


@pytest.mark.any_backend
def test_replaces_evenly_by_the_vocabulary():
    layer = RandomTokenReplacement(0.5, 40, **SPECIAL)
    new = augmented(layer, COPIES)
    # One of the 37 that can come is the token itself.
    close((new != COPIES)[:, 1:21].mean(), 0.5 * 36 / 37, 20_000)
    assert not {0, 2, 3} & set(new[:, 1:21].ravel())
    close((new == 1).sum() / 20_000, 0.5 / 37, 20_000)
    close((new == 39).sum() / 20_000, 0.5 / 37, 20_000)


@pytest.mark.any_backend
def test_replaces_in_proportion_to_counts():
    counts = np.zeros(60)
    counts[[0, 50, 51]] = 7, 1, 3
    layer = RandomTokenReplacement(0.5, token_counts=counts, **SPECIAL)
    new = augmented(layer, COPIES)
    close((new == 50).sum() / 20_000, 0.125, 20_000)
    close((new == 51).sum() / 20_000, 0.375, 20_000)


def test_replaces_what_says_little_as_in_the_paper():
    idf = np.zeros(60)
    idf[10:30] = np.linspace(0, 4, 20)
    # Of three that can come, one says much: it never comes.
    counts = np.zeros(60)
    counts[10:30], counts[50:53] = 1e-9, [2, 1, 1]
    idf[50:53] = 1.0, 1.0, 0.0
    layer = RandomTokenReplacement(
        0.3, token_counts=counts, idf=idf, special_ids=[2, 3], seed=0
    )
    new = augmented(layer, COPIES)
    changed = (new != COPIES)[:, 1:21].mean(axis=0)
    expected = 0.3 * (4 - idf[10:30]) / 2
    sigma = np.sqrt(np.maximum(expected * (1 - expected), 1e-9) / 1000)
    assert (np.abs(changed - expected) <= 4.5 * sigma + 0.002).all()
    assert not (new == 50).any()
    # All others have the largest score, less what they have themselves.
    assert (new == 52).sum() > (new == 51).sum() > 0


@pytest.mark.parametrize("vocabulary", [None, 1000])
def test_masks_as_bert_does(vocabulary):
    layer = TokenMasking(4, 0.15, vocabulary, labels=True, **SPECIAL)
    ids = np.tile(COPIES, (2, 1))
    out = augmented(layer, {"token_ids": ids})
    new, chosen = out["token_ids"], out["token_weights"] == 1
    np.testing.assert_array_equal(out["token_labels"], ids)
    free = ids > 9
    assert not chosen[~free].any()
    np.testing.assert_array_equal(new[~chosen], ids[~chosen])
    close(chosen[free].mean(), 0.15, 40_000)
    count = chosen.sum()
    close((new == 4).sum() / count, 0.8, count)
    # Of the same text comes the token itself, or one that is not free, in
    # place of one in twenty.
    same = 1 / 20 if vocabulary is None else 1 / 996
    close((new[chosen] == ids[chosen]).mean(), 0.1 + 0.1 * same, count)
    if vocabulary:
        drawn = new[chosen & (new != 4) & (new != ids)]
        assert drawn.min() >= 1
        assert not {2, 3, 4} & set(drawn)
        # The mean of 997 ids, about 500, and its standard deviation.
        assert drawn.mean() == pytest.approx(
            500, abs=4 * 288 / np.sqrt(len(drawn))
        )


@pytest.mark.any_backend
def test_masks_whole_words():
    goes_on = np.zeros(30, bool)
    goes_on[[12, 13, 17, 20]] = True
    layer = TokenMasking(
        4, 0.3, continuations=goes_on, mask_rate=1.0, random_rate=0.0, **SPECIAL
    )
    masked = augmented(layer, COPIES)[:, 1:21] == 4
    words = np.cumsum(~goes_on[10:30]) - 1
    for word in range(16):
        of_word = masked[:, words == word]
        assert (of_word == of_word[:, :1]).all()
        close(of_word[:, 0].mean(), 0.3, 1000)


@pytest.mark.any_backend
def test_masks_spans():
    layer = TokenMasking(
        4, 0.15, mean_span=5.0, mask_rate=1.0, random_rate=0.0, **SPECIAL
    )
    masked = augmented(layer, COPIES)[:, 1:21] == 4
    # Tokens of one span are no independent draws: per position, they are.
    means = masked.mean(axis=0)
    sigma = np.sqrt(0.15 * 0.85 / 1000)
    assert np.abs(means - 0.15).max() < 4.5 * sigma
    starts = np.diff(masked.astype(int), axis=1) == 1
    runs = masked[:, 1:].sum() / starts.sum()
    assert runs > 3


@pytest.mark.any_backend
def test_labels_come_in_inference_and_with_a_rate():
    ids = COPIES[:50]
    layer = TokenMasking(4, 0.5, labels=True, rate=0.5, **SPECIAL)
    out = augmented(layer, {"token_ids": ids})
    changed = (out["token_ids"] != ids).any(axis=1)
    weighed = out["token_weights"].any(axis=1)
    np.testing.assert_array_equal(changed, weighed)
    assert 10 < changed.sum() < 40
    rest = layer({"token_ids": ids}, training=False)
    assert set(rest) == {"token_ids", "token_labels", "token_weights"}
    assert not to_numpy(rest["token_weights"]).any()
    np.testing.assert_array_equal(to_numpy(rest["token_ids"]), ids)
    spec = layer({"token_ids": keras.Input((32,), dtype="int32")})
    assert spec["token_labels"].shape == (None, 32)
    with pytest.raises(ValueError, match="must be a dict"):
        layer(ids)
    with pytest.raises(ValueError, match="must not hold 'token_labels'"):
        layer({"token_ids": ids, "token_labels": ids})


@pytest.mark.any_backend
def test_labels_of_masking_go_through_a_chain():
    layer = Compose(
        [
            TokenMasking(4, 0.5, labels=True, special_ids=[2, 3]),
            RandomTokenDeletion(0.3, special_ids=[2, 3]),
        ],
        seed=0,
    )
    ids = COPIES[:20]
    out = augmented(layer, {"token_ids": ids})
    chosen = out["token_weights"] == 1
    new, labels = out["token_ids"], out["token_labels"]
    np.testing.assert_array_equal(new[~chosen], labels[~chosen])
    assert (new[chosen] == 4).any()
    assert (labels[out["token_ids"] == 0] == 0).all()
    rest = layer({"token_ids": ids}, training=False)
    assert not to_numpy(rest["token_weights"]).any()
    spec = layer({"token_ids": keras.Input((32,), dtype="int32")})
    assert spec["token_weights"].dtype == "float32"


@pytest.mark.any_backend
def test_crops_keep_a_span():
    new = augmented(RandomSpanCrop((0.2, 0.6), **SPECIAL), COPIES)
    sizes = (new > 9).sum(axis=1)
    # Evenly from 4 to 12 tokens; the deviation of such a number is 2.3.
    assert (sizes.min(), sizes.max()) == (4, 12)
    assert sizes.mean() == pytest.approx(8, abs=4 * 2.4 / np.sqrt(1000))
    for row, size in zip(new[:100], sizes, strict=False):
        assert (np.diff(row[1 : size + 1]) == 1).all()
        assert (row[0], row[size + 1]) == (2, 3)
    # Every start is as likely: of 20 - size + 1.
    starts = (new[:, 1] - 10) / (20 - sizes)
    assert starts.mean() == pytest.approx(0.5, abs=4 * 0.32 / np.sqrt(1000))


@pytest.mark.parametrize("span", [False, True])
def test_cutoff_hides_tokens_from_the_mask(span):
    layer = TokenCutoff(0.13, span, **SPECIAL)
    data = {"token_ids": COPIES, "padding_mask": COPIES > 0}
    out = augmented(layer, data)
    new = out["token_ids"]
    np.testing.assert_array_equal(out["padding_mask"], new > 0)
    hidden = (new == 0)[:, 1:21]
    np.testing.assert_array_equal(new[new > 0], COPIES[new > 0])
    sizes = hidden.sum(axis=1)
    if not span:
        close(hidden.mean(), 0.13, 20_000)
        return
    # 2.6 tokens: two or three of them, in one span.
    close((sizes == 3).mean(), 0.6, 1000)
    assert set(sizes) == {2, 3}
    begins = np.diff(hidden.astype(int), axis=1, prepend=0) == 1
    assert (begins.sum(axis=1) == 1).all()
