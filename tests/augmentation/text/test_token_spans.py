"""Spans and tables, computed without any layer."""

import keras
import numpy as np
import pytest

from keras_regopt.augmentation.text.functional import _spans, _vocabulary
from keras_regopt.augmentation.text.functional._draws import token_bits

to_numpy = keras.ops.convert_to_numpy


def keys(count, seed=0):
    numbers = np.random.default_rng(seed).integers(-(2**31), 2**31, count)
    return keras.ops.convert_to_tensor(numbers.astype("int32"))


@pytest.mark.any_backend
@pytest.mark.parametrize("longest", [1, 10])
def test_spans_cover_their_fraction_from_the_first_token_on(longest):
    chances = _spans.geometric_chances(5.0, longest)
    covered = to_numpy(_spans.covered(keys(4000), 12, 0.15, chances))
    # A column has one draw for each text.
    sigma = np.sqrt(0.15 * 0.85 / 4000)
    assert np.abs(covered.mean(axis=0) - 0.15).max() < 4 * sigma


@pytest.mark.any_backend
def test_spans_are_as_long_as_they_are_drawn():
    chances = _spans.geometric_chances(5.0, 10)
    # The mean of a truncated geometric distribution, as in SpanBERT: 3.8.
    assert sum(chances) == pytest.approx(3.8, abs=0.01)
    # So few that two of them never meet.
    covered = to_numpy(_spans.covered(keys(2000), 60, 0.01, chances))
    edges = np.diff(covered.astype(int), axis=1, prepend=0, append=0)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    whole = starts[:, 1] > 0
    lengths = (ends - starts)[:, 1][whole]
    sigma = lengths.std() / np.sqrt(len(lengths))
    assert lengths.mean() == pytest.approx(3.8, abs=4 * sigma + 0.15)
    assert lengths.max() <= 20


@pytest.mark.any_backend
def test_a_mean_of_one_is_single_tokens():
    assert _spans.geometric_chances(1.0, 10) == [1.0]
    assert _spans.start_rate(0.15, [1.0]) == pytest.approx(0.15)
    assert _spans.start_rate(1.0, [1.0, 0.5]) == pytest.approx(1.0)


@pytest.mark.any_backend
def test_numbers_words():
    starts = keras.ops.convert_to_tensor(
        np.array([[0, 1, 0, 1, 1, 0], [1, 0, 0, 0, 0, 0]], bool)
    )
    numbers = to_numpy(_spans.word_numbers(starts))
    assert numbers.tolist() == [[0, 0, 0, 1, 2, 2], [0] * 6]


@pytest.mark.any_backend
@pytest.mark.parametrize("weights", [[1, 0, 3, 6], [1, 1, 1, 1], [0, 0, 5, 0]])
def test_draws_in_proportion_to_weights(weights):
    weights = np.array(weights)
    limits, aliases = map(
        keras.ops.convert_to_tensor, _vocabulary.alias_table(weights)
    )
    index = keras.ops.arange(40, dtype="int32")[None]
    bits = [token_bits(keys(500), index, stream) for stream in (0, 1)]
    drawn = to_numpy(_vocabulary.drawn(*bits, limits, aliases))
    shares = np.bincount(drawn.ravel(), minlength=4) / drawn.size
    expected = weights / weights.sum()
    sigma = np.sqrt(expected * (1 - expected) / drawn.size)
    assert (np.abs(shares - expected) <= 4 * sigma).all()


@pytest.mark.any_backend
def test_an_alias_table_has_exactly_its_weights():
    weights = np.random.default_rng(0).random(300) ** 4
    weights[::7] = 0
    limits, aliases = _vocabulary.alias_table(weights)
    shares = limits.astype("float64")
    for index, alias in enumerate(aliases):
        shares[alias] += 1 - limits[index]
    np.testing.assert_allclose(shares / 300, weights / weights.sum(), atol=1e-8)


@pytest.mark.any_backend
def test_synonyms_come_from_the_row_of_each_id():
    table = np.array([[-1, -1], [-1, 3], [0, 1], [-1, -1]])
    rows, counts = _vocabulary.compact_rows(table)
    assert rows.tolist() == [[-1, -1], [3, -1], [0, 1], [-1, -1]]
    ids = keras.ops.convert_to_tensor(
        np.tile(np.array([0, 1, 2, 3, 4, 99], "int32"), (200, 1))
    )
    bits = token_bits(keys(200), keras.ops.arange(6, dtype="int32")[None])
    new, known = _vocabulary.synonyms(
        ids, bits, *map(keras.ops.convert_to_tensor, (rows, counts))
    )
    new, known = to_numpy(new), to_numpy(known)
    assert known[0].tolist() == [False, True, True, False, False, False]
    assert (new[:, [0, 1, 3, 4, 5]] == [0, 3, 3, 4, 99]).all()
    # 200 draws of one half.
    assert new[:, 2].mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(200))
