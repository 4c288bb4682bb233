"""What acts inside of the train step does so beside everything else that does.

Each pair is compared with the same training in NumPy.
"""

import itertools

import numpy as np
import pytest
from interrupted import InterruptAfter, Interruption
from linear_fit import Weights
from paired import CALLBACKS, OPTIMIZERS, START, ByHand, fit

# The schedule-free ones use their momentum between the steps too, so that
# MomentumCycle refuses them.
IMPOSSIBLE = [set(OPTIMIZERS), {"momentum", "schedule-free"}]
FEATURES = [*CALLBACKS, "tolerant", *OPTIMIZERS]
PAIRS = [
    pair
    for pair in itertools.combinations(FEATURES, 2)
    if set(pair) not in IMPOSSIBLE
]
# The order in the list of callbacks.
PAIRS += [
    (second, first) for first, second in PAIRS if second not in OPTIMIZERS
]


def require_as_by_hand(run, features):
    history, weights = run
    expected = ByHand(features)
    figures = {"loss"}
    if "norms" in features:
        figures = set(expected.history)
    for figure in figures:
        # The path of a layer begins with the name of the model.
        (name,) = [n for n in history if n.replace("sequential/", "") == figure]
        np.testing.assert_allclose(
            history[name], expected.history[figure], rtol=2e-5, atol=1e-7
        )
    for one, other in zip(weights, expected.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_both_do_what_they_do_alone(tmp_path, pair):
    seen = Weights()
    run = fit(pair, tmp_path, seen)
    require_as_by_hand(run, pair)
    after_first = seen.seen[1]
    if "freezing" in pair:
        np.testing.assert_array_equal(after_first[0], np.float32(START[0]))
    assert np.max(np.abs(after_first[1] - START[1])) > 0.01


@pytest.mark.parametrize(
    "feature", [name for name in FEATURES if name != "tolerant"]
)
def test_each_goes_on_after_an_interruption(tmp_path, feature):
    features = ("tolerant", feature)
    with pytest.raises(Interruption):
        fit(features, tmp_path, InterruptAfter(5))
    require_as_by_hand(fit(features, tmp_path), features)
