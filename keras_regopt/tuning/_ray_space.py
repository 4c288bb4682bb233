"""The spaces and the trials of a search with Ray."""

import keras_tuner

from keras_regopt._search_space import Options, Range
from keras_regopt._validate import fail
from keras_regopt.tuning._encoding import Encoding
from keras_regopt.tuning._oracle import known
from keras_regopt.tuning._population import first_values
from keras_regopt.tuning.random_oracle import RandomOracle


def searched_space(owner, space, declared):
    """The hyperparameters that are searched.

    Args:
        owner: The object to name in errors.
        space: A `keras_tuner.HyperParameters`, a dict of names and of each a
            `Range` or `Options`, or `None` for what the model declares.
        declared: The `HyperParameters` that the model has declared.

    Returns:
        A `keras_tuner.HyperParameters`.

    Raises:
        ValueError: If it is none of these, or names what was not declared.
    """
    if space is None:
        return declared
    if isinstance(space, keras_tuner.HyperParameters):
        return space
    allowed = "HyperParameters, or a dict of names and Range or Options"
    if not isinstance(space, dict) or not all(
        isinstance(values, (Range, Options)) for values in space.values()
    ):
        fail(owner, "space", allowed, space)
    names = sorted({hp.name for hp in declared.space})
    if unknown := sorted(set(space) - set(names)):
        allowed = f"of hyperparameters that the model has, of {names}"
        fail(owner, "space", allowed, unknown)
    hp = keras_tuner.HyperParameters()
    for name, values in space.items():
        _declare(hp, name, values)
    return hp


def _declare(hp, name, values):
    if isinstance(values, Options):
        hp.Choice(name, list(values.values))
        return
    number = hp.Int if values.whole else hp.Float
    sampling = "log" if values.log else "linear"
    number(name, *values.ends(), sampling=sampling)


def drawn_trials(objective, space, population, num_samples, seed):
    """The trials that a search begins with, as `RandomOracle` draws them.

    Args:
        objective: The objective.
        space: The `HyperParameters`.
        population: Dict of names and ranges of what changes in training; then
            trials may have equal values.
        num_samples: Number of trials.
        seed: Seed.

    Returns:
        A list of dicts of `"number"`, `"values"` and `"population"`. It is
        shorter where there are no more values.
    """
    oracle = RandomOracle(objective, num_samples, seed)
    encoding = Encoding(space.space)
    trials: list[dict] = []
    tried: set = set()
    for number in range(num_samples):
        values = oracle.propose(number, encoding, tried)
        if values is None:
            break
        if not population:
            tried.add(known(encoding, values))
        first = first_values(population, seed, number)
        trial = {"number": number, "values": values, "population": first}
        trials.append(trial)
    return trials
