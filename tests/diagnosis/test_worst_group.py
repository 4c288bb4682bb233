import numpy as np
import pytest
from scipy.stats import beta

from keras_regopt.diagnosis._worst_group import compare

pytestmark = pytest.mark.any_backend


def draw(seed, rates, rows=50):
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(len(rates)), rows)
    values = (rng.random(len(numbers)) < np.asarray(rates)[numbers]) * 1.0
    return compare(values, np.ones(len(values)), numbers, len(rates), True)


def test_the_worst_of_equal_groups_is_corrected_to_what_all_are():
    tables = [draw(seed, [0.8] * 20) for seed in range(30)]
    raw = np.mean([t.values.min() for t in tables])
    corrected = np.mean([t.shrunk.min() for t in tables])
    # By chance the worst of 20 is 10 points too low; of that, four fifths go.
    assert raw < 0.72
    assert corrected > 0.78
    # False alarms: 5 %, of 30 tables up to four (97.5 % of such draws).
    assert sum(t.p_value < 0.05 for t in tables) <= 4


def test_intervals_hold_for_all_groups_together():
    tables = [draw(seed, [0.9] * 10, 40) for seed in range(100)]
    missed = [((t.lows > 0.9) | (t.highs < 0.9)).any() for t in tables]
    # 5 % at most, and of 100 tables two standard errors more.
    assert np.mean(missed) <= 0.09


def test_a_group_that_is_worse_stays_so():
    table = draw(0, [0.9] * 9 + [0.5], 100)
    assert table.shrunk.argmin() == 9
    # 40 points below the others, it is moved by a tenth of them at most.
    assert table.shrunk[9] == pytest.approx(table.values[9], abs=0.04)
    assert table.p_value < 0.01
    assert table.highs[9] < 0.7


def test_intervals_of_fractions_are_exact():
    numbers, values = np.repeat([0, 1], 10), np.zeros(20)
    values[:3] = 1
    table = compare(values, np.ones(20), numbers, 2, True)
    level = 0.05 / 2 / 2
    assert table.lows[0] == pytest.approx(beta.ppf(level, 3, 8))
    assert table.highs[1] == pytest.approx(1 - level ** (1 / 10))


def test_errors_have_intervals_of_their_means():
    rng = np.random.default_rng(1)
    values, numbers = rng.exponential(size=200), np.arange(200) % 2
    table = compare(values, np.ones(200), numbers, 2, False)
    half = 2.27 * values[numbers == 0].std(ddof=1) / 10
    assert table.highs[0] - table.values[0] == pytest.approx(half, rel=0.02)


def test_rows_of_no_weight_and_empty_groups_do_not_count():
    values, weights = np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0])
    table = compare(values, weights, np.array([0, 0, 2]), 3, True)
    np.testing.assert_array_equal(table.values, [1, np.nan, 1])
    assert np.isnan(table.lows[1])
    empty = compare(values, 0 * weights, np.array([0, 1, 2]), 3, True)
    assert np.isnan(empty.values).all()
    assert empty.p_value == 1.0
