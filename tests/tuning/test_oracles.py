"""What the oracles of this package promise."""

import itertools
import math

import keras_tuner
import numpy as np
import pytest

from keras_regopt.tuning import BayesianOracle, GridOracle, RandomOracle, _state
from keras_regopt.tuning._encoding import Encoding
from keras_regopt.tuning._model_oracle import chosen_rows

pytestmark = pytest.mark.any_backend

ALL = [RandomOracle, GridOracle, BayesianOracle]


def objective(direction="min"):
    return keras_tuner.Objective("score", direction)


def square():
    hp = keras_tuner.HyperParameters()
    hp.Float("a", 0.0, 1.0)
    hp.Float("b", 0.0, 1.0)
    return hp


def branching():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b"])
    hp.Int("size", 1, 2)
    with hp.conditional_scope("kind", ["b"]):
        hp.Int("depth", 1, 3)
    return hp


def run(oracle, folder, trials, score=lambda values: 0.0):
    """The values of the next trials, which are run."""
    oracle.verbose = 0
    oracle._set_project_dir(folder, "project")
    found = []
    for _ in range(trials):
        trial = oracle.create_trial("tuner0")
        if trial.status == "STOPPED":
            break
        values = dict(trial.hyperparameters.values)
        found.append(values)
        result = score(values)
        if result is None:
            trial.status = "INVALID"
        else:
            oracle.update_trial(trial.trial_id, {"score": result})
            trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return found


@pytest.mark.parametrize("oracle", ALL)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_trials": 0}, "`max_trials` .* must be an integer >= 1"),
        ({"max_trials": 2.5}, "`max_trials`"),
        ({"seed": -1}, "`seed` .* must be an integer >= 0"),
        ({"seed": "a"}, "`seed`"),
        (
            {"hyperparameters": {"a": 1}},
            "`hyperparameters` .* a keras_tuner.Hyper",
        ),
        ({"max_trial": 3}, "Did you mean `max_trials`"),
    ],
)
def test_bad_arguments_are_refused(oracle, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        oracle(**{"objective": "val_loss", **options})


def test_the_bayesian_oracle_needs_an_initial_point():
    with pytest.raises(ValueError, match=r"`num_initial_points` .* >= 1"):
        BayesianOracle("val_loss", num_initial_points=0)


def test_seeds_are_independent_and_0_is_one():
    seen = []
    for seed in range(12):
        oracle = RandomOracle(objective(), 30, seed, hyperparameters=square())
        assert oracle.seed == seed
        encoding = Encoding(oracle.get_space().space)
        seen += [
            tuple(oracle.propose(number, encoding, set()).values())
            for number in range(30)
        ]
    # In Keras Tuner, seed 3 tries what seed 1 tries, one trial later.
    numbers = np.array(seen)
    assert len(np.unique(numbers)) == numbers.size
    # Evenly spread: chi squared of 15 degrees of freedom, at 0.001.
    counts = np.histogram2d(*numbers.T, bins=4, range=[[0, 1]] * 2)[0]
    expected = len(numbers) / 16
    assert np.sum((counts - expected) ** 2) / expected < 37.7
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 0.17


@pytest.mark.parametrize("oracle", [RandomOracle, BayesianOracle])
def test_a_hyperparameter_more_changes_no_other_value(tmp_path, oracle):
    space = square()
    first = run(
        oracle(objective(), 4, 5, hyperparameters=space), tmp_path / "a", 4
    )
    space = keras_tuner.HyperParameters()
    space.Boolean("new")
    space.merge(square())
    more = run(
        oracle(objective(), 4, 5, hyperparameters=space), tmp_path / "b", 4
    )
    for values in more:
        values.pop("new")
    assert more == first


@pytest.mark.parametrize("oracle", ALL)
def test_no_values_are_tried_twice_and_the_search_ends(tmp_path, oracle):
    made = oracle(objective(), max_trials=50, hyperparameters=branching())
    found = run(made, tmp_path, 50, lambda values: values["size"])
    # 2 of kind a, 6 of kind b.
    assert len(found) == 8
    assert len({tuple(values.items()) for values in found}) == 8


@pytest.mark.parametrize("oracle", ALL)
def test_what_fails_is_not_tried_again(tmp_path, oracle):
    made = oracle(
        objective(),
        max_trials=50,
        hyperparameters=branching(),
        max_consecutive_failed_trials=50,
    )
    found = run(made, tmp_path, 50, lambda v: None if v["kind"] == "b" else 1.0)
    assert len({tuple(values.items()) for values in found}) == len(found) == 8


def test_a_grid_without_a_seed_has_its_order(tmp_path):
    oracle = GridOracle(objective(), hyperparameters=branching())
    found = run(oracle, tmp_path, 20)
    assert [tuple(values.values()) for values in found] == [
        ("a", 1),
        ("a", 2),
        *itertools.product("b", (1, 2), (1, 2, 3)),
    ]


def test_a_grid_with_a_seed_has_another_order_of_the_same(tmp_path):
    orders = [
        [
            tuple(values.values())
            for values in run(
                GridOracle(objective(), seed=seed, hyperparameters=branching()),
                tmp_path / str(seed),
                20,
            )
        ]
        for seed in (None, 0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 3
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])


def test_a_grid_has_values_on_the_scale_of_a_number(tmp_path):
    space = keras_tuner.HyperParameters()
    space.Float("rate", 1e-5, 1.0, sampling="log")
    oracle = GridOracle(objective(), hyperparameters=space)
    rates = [values["rate"] for values in run(oracle, tmp_path, 20)]
    np.testing.assert_allclose(np.diff(np.log10(rates)), 0.5, rtol=1e-9)
    assert len(rates) == 10


def test_a_large_grid_goes_in_order_and_is_not_shuffled(tmp_path):
    space = keras_tuner.HyperParameters()
    for name in "abcdef":
        space.Float(name, 0.0, 1.0)
    oracle = GridOracle(objective(), hyperparameters=space)
    assert len(run(oracle, tmp_path, 3)) == 3
    oracle = GridOracle(objective(), seed=1, hyperparameters=space)
    with pytest.raises(ValueError, match=r"RandomOracle draws from"):
        oracle.populate_space("0")


def test_the_initial_points_are_spread_over_each_hyperparameter(tmp_path):
    oracle = BayesianOracle(objective(), 8, 3, hyperparameters=square())
    found = run(oracle, tmp_path, 8)
    for name in "ab":
        places = sorted(int(8 * values[name]) for values in found)
        assert places == list(range(8))


def bowl(values):
    return (values["a"] - 0.3) ** 2 + 2 * (values["b"] - 0.8) ** 2


@pytest.mark.parametrize("direction", ["min", "max"])
def test_the_bayesian_oracle_finds_an_optimum(tmp_path, direction):
    sign = 1 if direction == "min" else -1
    oracle = BayesianOracle(
        objective(direction), 20, seed=0, hyperparameters=square()
    )
    found = run(oracle, tmp_path, 20, lambda values: sign * bowl(values))
    # Random search of 20 trials is at 0.02 in the median.
    assert min(map(bowl, found)) < 1e-4


def test_scores_that_are_not_finite_do_no_harm(tmp_path):
    def score(values):
        return math.inf if values["b"] > 0.9 else bowl(values)

    oracle = BayesianOracle(objective(), 20, 1, hyperparameters=square())
    found = run(oracle, tmp_path, 20, score)
    failures = sum(math.isinf(score(values)) for values in found)
    # At random, 2 are expected.
    assert 1 <= failures <= 4
    assert min(score(values) for values in found) < 1e-3


def test_running_trials_of_others_push_the_next_one_away(tmp_path):
    oracle = BayesianOracle(objective(), 20, 1, hyperparameters=square())
    run(oracle, tmp_path, 12, bowl)
    points = [
        oracle.create_trial(f"worker{i}").hyperparameters.values
        for i in range(3)
    ]
    for one, other in itertools.combinations(points, 2):
        assert math.dist(one.values(), other.values()) > 1e-3
    assert [loss for _, loss in oracle.losses()][12:] == [None] * 3


def test_at_most_120_points_are_fitted_the_best_among_them():
    generator = np.random.default_rng(0)
    features, y = generator.random((300, 3)), generator.random(300)
    rows = chosen_rows(features, y)
    assert len(set(rows)) == 120
    assert set(np.argsort(y)[:60]) <= set(rows)
    # The others lie farther from each other than as many at random do.
    others = [row for row in rows if row not in np.argsort(y)[:60]]

    def nearest(chosen):
        distances = np.linalg.norm(
            features[chosen][:, None] - features[chosen], axis=-1
        )
        return np.min(distances + 9 * np.eye(len(chosen)))

    assert nearest(others) > 1.5 * nearest(np.arange(60))
    assert chosen_rows(features[:120], y[:120]).tolist() == list(range(120))


def test_the_parameters_are_fitted_again_every_20th_part(tmp_path):
    oracle = BayesianOracle(objective(), 200, 1, hyperparameters=square())
    encoding = Encoding(oracle.get_space().space)
    generator = np.random.default_rng(0)
    features, y = generator.random((60, 2)), generator.random(60)
    fits = []
    for count in range(40, 60):
        oracle._parameters(encoding, features[:count], y[:count], count)
        fits.append(oracle._fitted["count"])
    assert sorted(set(fits)) == list(range(40, 60, 2))


def test_an_oracle_goes_on_from_its_state(tmp_path):
    whole = run(
        BayesianOracle(objective(), 14, 2, hyperparameters=square()),
        tmp_path / "whole",
        14,
        bowl,
    )
    first = BayesianOracle(objective(), 14, 2, hyperparameters=square())
    _state.keep_safely(first)
    run(first, tmp_path / "oracle", 11, bowl)
    second = BayesianOracle(objective(), 14, 2, hyperparameters=square())
    second._set_project_dir(tmp_path / "oracle", "project")
    # Keras Tuner's own would run the last trial again.
    assert _state.load_oracle(second)
    assert run(second, tmp_path / "oracle", 3, bowl) == whole[11:]
