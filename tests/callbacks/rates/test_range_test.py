import numpy as np
import pytest

from keras_regopt.callbacks import RangeTest

pytestmark = pytest.mark.any_backend

RANDOM = np.random.default_rng(0)


def curves():
    """Smoothed losses of the usual form, and rough ones."""
    x = np.linspace(0, 1, 100)
    for noise in (0.0, 0.02, 0.3):
        for turn in (0.4, 0.7):
            fall = 2 - np.clip(x - 0.2, 0, turn - 0.2) * 3
            rise = 40 * np.clip(x - turn, 0, 1) ** 2
            yield fall + rise + noise * RANDOM.normal(size=100)


def longest_valley(losses):
    """The rule of fastai's `valley`, in its own slow words."""
    longest = [1] * len(losses)
    end = 0
    for i in range(len(losses)):
        for j in range(i):
            if losses[i] < losses[j] and longest[i] < longest[j] + 1:
                longest[i] = longest[j] + 1
        if longest[end] < longest[i]:
            end = i
    third = longest[end] / 3
    return end - longest[end] + int(third) + int(third / 2)


@pytest.mark.parametrize("losses", list(curves()))
def test_suggests_as_fastai_does(losses):
    rates = np.geomspace(1e-6, 1.0, 100)
    test = RangeTest(rates, losses, smoothing=0.0)
    used_rates, used = rates[10:-5], losses[10:-5]
    slopes = np.diff(used) / np.diff(np.log(used_rates))
    expected = {
        "valley": used_rates[longest_valley(used)],
        "steepest": used_rates[np.argmin(slopes)],
        "minimum/10": used_rates[np.argmin(used)] / 10,
    }
    for method, rate in expected.items():
        assert test.suggest(method) == pytest.approx(rate)
        chosen = RangeTest(rates, losses, smoothing=0.0, method=method)
        assert chosen.suggestion == pytest.approx(rate)


def test_smooths_by_an_average_that_is_corrected_for_its_start():
    losses = RANDOM.normal(size=30)
    test = RangeTest(np.arange(1, 31), losses, smoothing=0.9)
    for count in (1, 2, 30):
        weights = 0.9 ** np.arange(count)[::-1]
        expected = np.sum(weights * losses[:count]) / np.sum(weights)
        assert test.smoothed_losses[count - 1] == pytest.approx(expected)


def test_leaves_out_a_tenth_of_the_planned_steps():
    # The only fall is among the first ten of a hundred planned steps.
    losses = [9, 8, 7, 6, 5, 4, 3, 2, 1, 1] + [5] * 20
    test = RangeTest(np.arange(1, 31), losses, steps=100, smoothing=0.0)
    with pytest.raises(ValueError, match="15 usable points, none is below"):
        _ = test.suggestion


@pytest.mark.parametrize("losses", [[1.0], [], [1.0] * 50, [np.nan] * 50])
def test_says_so_where_there_is_nothing_to_suggest(losses):
    test = RangeTest(np.arange(1, len(losses) + 1), losses)
    with pytest.raises(ValueError, match="suggests no learning rate"):
        _ = test.suggestion
    assert len(test.plot().lines) == 2


def test_draws_losses_and_suggestion_over_the_rates():
    rates = np.geomspace(1e-6, 1.0, 100)
    test = RangeTest(rates, next(curves()), smoothing=0.5)
    axes = test.plot()
    raw, smooth, mark = axes.lines
    np.testing.assert_array_equal(raw.get_ydata(), test.losses)
    np.testing.assert_array_equal(smooth.get_ydata(), test.smoothed_losses)
    assert mark.get_xdata()[0] == test.suggestion
    assert axes.get_xscale() == "log"
    assert test.plot(axes) is axes


def test_refuses_an_unknown_method():
    with pytest.raises(ValueError, match="`method` of RangeTest must be one"):
        RangeTest([1, 2], [2, 1], method="best")
    with pytest.raises(ValueError, match="`method` of RangeTest must be one"):
        RangeTest([1, 2], [2, 1]).suggest("best")
