import numpy as np
import pytest
from scipy.stats import binom

from keras_regopt.diagnosis import diagnose
from keras_regopt.diagnosis._sampling import (
    from_rows,
    gap,
    proportion,
    rows_by_steps,
)

pytestmark = pytest.mark.any_backend

SIZES = (50, 100, 200, 500)


def judge(rows, wrong, told=True):
    """Diagnoses a training error of 3 % and a dev error by so many rows."""
    history = {
        "accuracy": [0.9, 0.95, 0.97, 0.97],
        "val_accuracy": [0.9, 0.9, 1 - wrong / rows, 1 - wrong / rows],
    }
    options = {"dev_rows": rows} if told else {}
    return diagnose(history, reference=0.03, **options)


def probability(verdict, rows, dev_error, told=True):
    """How often chance gives a verdict, where the dev error is the true one."""
    counts = np.arange(rows + 1)
    chances = binom.pmf(counts, rows, dev_error)
    likely = counts[chances > 1e-6]
    return sum(
        chances[k] for k in likely if verdict in judge(rows, k, told).verdict
    )


# At a dev error of 5 %, the variance is at its limit, and hence not high. The
# probability is computed, not drawn: nothing is allowed beyond 5 %.
@pytest.mark.parametrize("dev_error", [0.03, 0.05])
@pytest.mark.parametrize("rows", SIZES)
def test_at_most_one_in_twenty_is_falsely_called_high(rows, dev_error):
    assert probability("high", rows, dev_error) <= 0.05


@pytest.mark.parametrize("rows", SIZES)
def test_rows_that_were_not_told_are_found_by_the_steps_of_the_curve(rows):
    assert probability("high", rows, 0.03, told=False) <= 0.05


def test_bootstrap_and_balanced_errors_keep_to_one_in_twenty():
    rng = np.random.default_rng(7)
    for rows in (50, 200):
        found = [from_rows(rng.exponential(size=rows)) for _ in range(200)]
        # Of 200 draws, up to 16 are 5 % within two standard errors; the
        # bootstrap of skew errors adds up to 2 % on the upper side.
        assert np.mean([e.low > 1 for e in found]) <= 0.08
        assert np.mean([e.high < 1 for e in found]) <= 0.12


def test_more_rows_tell_more():
    found = [probability("high variance", rows, 0.1) for rows in SIZES]
    assert found == sorted(found)
    # A gap of 7 % against a limit of 2 % is found with 500 rows.
    assert found[-1] > 0.95
    assert probability("fits", 50, 0.03) < 0.3
    assert probability("fits", 2000, 0.03) > 0.9


def test_it_says_how_many_rows_would_tell():
    result = judge(100, 6)
    (variance,) = (g for g in result.gaps if g.name == "variance")
    assert result.cause == "few rows"
    assert f"Cannot tell with {variance.rows} rows" in result.text()
    needed = variance.rows_needed
    assert needed > 100
    words = " ".join(result.text().split())
    assert f"About {needed:,} rows would be needed" in words
    # With so many rows and the same error, the answer is there.
    error = result.dev_error
    history = {"accuracy": [0.97] * 4, "val_accuracy": [1 - error] * 4}
    told = diagnose(history, reference=0.03, dev_rows=int(1.3 * needed))
    assert told.answers["variance"] != "cannot tell"


def test_bounds_of_a_fraction_hold_the_true_one():
    rng = np.random.default_rng(1)
    for rows, true in ((50, 0.03), (200, 0.1), (500, 0.5)):
        found = [
            proportion(k / rows, rows) for k in rng.binomial(rows, true, 999)
        ]
        below = np.mean([true < e.low for e in found])
        above = np.mean([true > e.high for e in found])
        # 5 % at most, and of 999 draws two standard errors more.
        assert below <= 0.064
        assert above <= 0.064


def test_no_error_in_50_rows_does_not_mean_that_there_is_none():
    found = proportion(0.0, 50)
    assert found.low == 0
    assert 0.04 < found.high < 0.07


def test_the_bootstrap_agrees_with_the_textbook():
    rng = np.random.default_rng(2)
    errors = rng.exponential(size=400)
    found = from_rows(errors)
    half = 1.645 * errors.std() / 20
    assert found.value == pytest.approx(errors.mean())
    # 500 draws find a quantile within some percent.
    assert found.value - found.low == pytest.approx(half, rel=0.15)
    assert found.high - found.value == pytest.approx(half, rel=0.15)


def test_groups_are_drawn_whole():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(20), 20)
    errors = np.repeat(rng.integers(0, 2, 20), 20).astype(float)
    alone, whole = from_rows(errors), from_rows(errors, groups=groups)
    # 20 independent groups tell as much as 20 rows: bounds are wider by the
    # root of 20, 4.5.
    ratio = (whole.high - whole.low) / (alone.high - alone.low)
    assert 3.5 < ratio < 5.5


def test_the_root_of_a_mean_is_bounded_on_its_own_scale():
    squares = np.random.default_rng(4).normal(size=500) ** 2
    found = from_rows(squares, root=True)
    assert found.value == pytest.approx(squares.mean() ** 0.5)
    assert found.low < found.value < found.high


def test_a_gap_adds_what_both_sides_leave_open():
    larger, smaller = proportion(0.2, 100), proportion(0.1, 100)
    found = gap("variance", larger, smaller, 0.02)
    assert found.value == pytest.approx(0.1)
    down = np.hypot(0.2 - larger.low, smaller.high - 0.1)
    assert found.low == pytest.approx(0.1 - down)
    assert gap("variance", None, smaller, 0.02) is None


@pytest.mark.parametrize("rows", [37, 50, 200, 640])
def test_fractions_tell_their_rows(rows):
    right = np.random.default_rng(5).integers(0, rows + 1, 20)
    assert rows_by_steps((right / rows).astype("float32")) in (rows, rows // 2)
    assert rows_by_steps(np.random.default_rng(6).random(20)) is None


def test_a_gap_within_its_noise_is_borderline():
    # 1.1 % against a limit of 1.0 % with noise 0.4 %.
    noise = 0.004 * np.tile([1, -1, 0.5, -1.5, 1], 6)
    history = {
        "accuracy": np.full(30, 1 - 1e-4),
        "val_accuracy": 1 - 0.0111 - noise - 1e-6 * np.sqrt(np.arange(30)),
    }
    result = diagnose(history, variance_tolerance=0.01)
    assert (result.verdict, result.cause) == ("undecided", "borderline")
    assert "borderline" in result.text()
    assert len(result.steps) < 4
    assert (
        diagnose(history, variance_tolerance=0.001).verdict == "high variance"
    )
