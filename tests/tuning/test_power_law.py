"""Curves of known laws are continued rightly, or not at all."""

import numpy as np
import pytest

from keras_regopt.tuning import LearningCurve
from keras_regopt.tuning._power_law import fit

pytestmark = pytest.mark.any_backend

# Floor, scale and exponent of the error at `n` rows.
LAWS = {
    "fast": (0.0, 4.0, 0.7),
    "steep": (0.0, 2.0, 0.5),
    "slow": (0.02, 1.0, 0.3),
    "plateau": (0.08, 20.0, 1.0),
    "flat": (0.1, 0.0, 1.0),
}


def error(law, rows):
    floor, scale, exponent = LAWS[law]
    return floor + scale * np.asarray(rows, "float64") ** -exponent


def measured(law, seed, rows=5000, folds=5):
    """A curve as it is measured: half of a fold's rows are hard for all."""
    random = np.random.default_rng(seed)
    largest = rows * (folds - 1) // folds
    sizes = np.round(np.geomspace(0.1, 1, 6) * largest).astype(int)
    shape = (len(sizes), folds, rows // folds)
    common = random.uniform(size=shape[1:])
    own = random.uniform(size=shape)
    luck = np.where(random.uniform(size=shape) < 0.5, common, own)
    errors = np.mean(luck < error(law, sizes)[:, None, None], axis=2)
    train = np.full_like(errors, 0.9) * errors
    return LearningCurve("error", False, tuple(sizes.tolist()), train, errors)


def test_a_law_without_noise_is_found():
    sizes = np.array([100, 200, 400, 800, 1600])
    for law in LAWS:
        found = fit(sizes, error(law, sizes))
        assert found.error(3200)[0] == pytest.approx(error(law, 3200), rel=0.02)


def test_the_rows_for_an_error_are_those_that_bring_it():
    sizes = np.array([100, 200, 400, 800])
    law = fit(sizes, error("steep", sizes))
    assert law.error(law.rows(0.03)) == pytest.approx([0.03], rel=1e-6)
    assert fit(sizes, [[0.1] * 4]).rows(0.05) == [np.inf]


@pytest.mark.parametrize("law", LAWS)
def test_the_band_holds_the_truth_and_no_verdict_is_wrong(law):
    # 90 % are promised; of 40, fewer than 31 come by chance once in 150.
    inside, wrong = 0, 0
    for seed in range(40):
        curve = measured(law, seed)
        rows = 2 * curve.sizes[-1]
        low, _, high = curve.predict(rows)
        inside += low - 1e-3 <= error(law, rows) <= high + 1e-3
        saves = 1 - error(law, rows) / error(law, curve.sizes[-1]) > 0.1
        wrong += curve.verdict == ("a larger model" if saves else "more data")
    assert inside >= 31
    # 5 % are promised; more than 5 come by chance once in 70.
    assert wrong <= 5


def test_clear_curves_get_a_firm_verdict_and_few_rows_get_none():
    firm = [measured("fast", seed).verdict for seed in range(20)]
    assert firm.count("more data") >= 14
    flat = [measured("flat", seed).verdict for seed in range(20)]
    assert flat.count("a larger model") >= 18
    few = [measured("slow", seed, rows=300).verdict for seed in range(20)]
    assert few.count("cannot tell") >= 14


def test_a_training_error_far_below_asks_for_no_larger_model():
    curve = measured("flat", 0)
    curve = LearningCurve(
        "error", False, curve.sizes, 0 * curve.train_scores, curve.dev_scores
    )
    assert curve.verdict == "cannot tell"
    assert "overfits" in curve.reason


def test_a_curve_that_no_law_fits_says_why():
    sizes = (100, 200, 400, 800)
    errors = error("steep", sizes)[:, None] * [[1.0, 1.1]]
    cases = {
        "3 sizes are too few": (sizes[:3], errors[:3]),
        "a single fold": (sizes, errors[:, :1]),
        "at 800 rows is not finite": (
            sizes,
            errors + [[0], [0], [0], [np.nan]],
        ),
        "falls below zero": (sizes, errors - 0.2),
    }
    for reason, (some, values) in cases.items():
        curve = LearningCurve("error", False, some, values, values)
        assert curve.verdict == "cannot tell"
        assert reason in curve.reason
        assert np.isnan(curve.predict(1600)).all()
        assert np.isnan([*curve.gain, *curve.rows_for(0.01)]).all()


def test_an_error_at_the_reference_is_said_to_be():
    curve = measured("flat", 1)
    near = LearningCurve(
        *("error", False, curve.sizes, curve.train_scores, curve.dev_scores),
        reference=0.12,
    )
    assert near.verdict == "at the reference"
