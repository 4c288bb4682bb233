"""The score of a whole search, on data that it never sees."""

import os
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from keras_regopt._keras import print_msg
from keras_regopt._types import Path
from keras_regopt._validate import fail, integer
from keras_regopt.tuning import _state
from keras_regopt.tuning._data import FoldedData
from keras_regopt.tuning._draws import uniform
from keras_regopt.tuning._folds import check_folds
from keras_regopt.tuning._lock import alone
from keras_regopt.tuning._made_with import comparable
from keras_regopt.tuning._oracle import settings_of
from keras_regopt.tuning._progress import short
from keras_regopt.tuning._resumable_tuner import HyperModel
from keras_regopt.tuning._scores import summary
from keras_regopt.tuning.cross_validation_tuner import CrossValidationTuner

_NAME = "nested_cross_validation"


def nested_cross_validation(
    hypermodel: HyperModel,
    oracle_factory: Callable[[], keras_tuner.Oracle],
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    outer: int | Any = 5,
    folds: int | Any = 5,
    stratify: bool | str = "auto",
    seed: int = 0,
    directory: Path | None = None,
    project_name: str = "nested",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 1,
    tuner: dict[str, Any] | None = None,
    **fit_kwargs: Any,
) -> dict[str, Any]:
    """Estimates how good the model is that a search finds.

    The best score of a search is too good, since the best of many trials is
    partly lucky. Here, each outer fold is left out of a whole search by
    `CrossValidationTuner`, whose best model, trained again on all but this
    fold, is then measured on it. So this tells about the search as a method,
    and how much the chosen values depend on the data. For the model to use,
    search once more on all data.

    It goes on where it stopped when the same program runs again.

    Args:
        hypermodel: As for `CrossValidationTuner`.
        oracle_factory: A function without arguments that returns a new oracle.
        x: Inputs: an array, or a dict, tuple or list of arrays.
        y: Targets, in the same forms.
        sample_weight: Optional weights, for training and measuring.
        groups: Optional group of each sample; none is ever split up.
        outer: The folds to be left out: a number, at least 2, or a
            scikit-learn splitter. Defaults to `5`.
        folds: Those of each search, likewise. Defaults to `5`.
        stratify: As for `CrossValidationTuner`. Defaults to `"auto"`.
        seed: Seed of the folds and of all training, at least 0. Defaults to
            `0`.
        directory: Folder of the project. Defaults to the working directory.
        project_name: Name of the project. Defaults to `"nested"`.
        callbacks: As for `CrossValidationTuner.search`.
        verbose: 0 prints nothing, 1 each outer fold, 2 the searches too.
        tuner: Optional dict of more arguments of `CrossValidationTuner`, such
            as `save_freq`.
        **fit_kwargs: More of `CrossValidationTuner.search`'s, such as
            `epochs`.

    Returns:
        A dict of `"scores"` (one an outer fold), their `"mean"`, `"std"` and
        `"standard_error"`, `"search_scores"` (the best mean score of each
        search, the optimistic ones), `"hyperparameters"` (a list of the dicts
        chosen), and `"spread"`: for each hyperparameter the lowest, the median
        and the highest value chosen, and for one without numbers how often
        each was.

    Raises:
        ValueError: If an argument is not allowed, or the project was begun
            with other ones.
        RuntimeError: If a file of the project is damaged, or another process
            works in it.

    Examples:
        >>> import tempfile
        >>> from keras_regopt.tuning import RandomOracle
        >>> def build(hp):
        ...     layers = [keras.layers.Dense(hp.Choice("units", [2, 4]))]
        ...     model = keras.Sequential([*layers, keras.layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> x = np.linspace(-1, 1, 24).reshape(12, 2)
        >>> result = nested_cross_validation(
        ...     build,
        ...     lambda: RandomOracle("val_loss", max_trials=1),
        ...     x,
        ...     x[:, :1],
        ...     outer=2,
        ...     folds=2,
        ...     directory=tempfile.mkdtemp(),
        ...     epochs=1,
        ...     verbose=0,
        ... )
        >>> len(result["scores"]), sorted(result["spread"])
        (2, ['units'])

    References:
        Varma and Simon 2006, Bias in error estimation when using
        cross-validation for model selection.
    """
    owner = _Outer(outer, stratify, seed)
    data = FoldedData(owner, x, y, sample_weight, groups)
    oracle = _new_oracle(oracle_factory, None)
    made_with = {
        "seed": owner.seed,
        "oracle": type(oracle).__name__,
        "objective": str(oracle.objective),
        **settings_of(oracle),
        **comparable({**fit_kwargs, "folds": folds}, callbacks),
        **data.fingerprint(),
    }
    folder = os.path.join(os.fspath(directory or "."), project_name)
    os.makedirs(folder, exist_ok=True)
    with alone(folder):
        path = os.path.join(folder, "outer.json")
        records = _begun(path, folder, made_with)
        for number in range(len(records), len(data)):
            oracle = _new_oracle(oracle_factory, oracle)
            inner = CrossValidationTuner(
                hypermodel,
                oracle,
                folds=folds,
                stratify=stratify,
                seed=owner.search_seed(number),
                directory=folder,
                project_name=f"search_{number}",
                **(tuner or {}),
            )
            record = _outer_record(
                inner, data, number, groups, callbacks, verbose, fit_kwargs
            )
            records.append(record)
            content = {"made_with": made_with, "records": records}
            _state.write_json(path, content)
            _tell(verbose, record, len(records), len(data))
    return _result(records)


class _Outer(str):
    """What the outer folds depend on, under the name that errors give."""

    folds: Any
    stratify: Any
    seed: int

    def __new__(cls, outer, stratify, seed):
        self = super().__new__(cls, _NAME)
        if outer is None:
            fail(_NAME, "outer", "a number of folds or a splitter", outer)
        self.folds = check_folds(self, outer, "outer")
        self.stratify = stratify
        self.seed = integer(self, "seed", seed, low=0)
        return self

    def search_seed(self, number):
        """The seed of a search, independent of the others."""
        return int(2**31 * uniform(self.seed, "outer", number))


def _begun(path, folder, made_with):
    """The records of a project, empty where it begins."""
    if not os.path.exists(path):
        return []
    content = _state.read_json(path)
    try:
        before, records = content["made_with"], list(content["records"])
    except (KeyError, TypeError) as error:
        raise _state.unusable(path, f"holds no outer folds ({error!r})") from (
            error
        )
    _state.require_same(folder, before, made_with)
    return records


def _new_oracle(factory, last):
    """An oracle that has served no search."""
    allowed = "a function that returns a new Keras Tuner oracle each time"
    if isinstance(factory, keras_tuner.Oracle) or not callable(factory):
        fail(_NAME, "oracle_factory", allowed, factory)
    oracle = factory()
    if not isinstance(oracle, keras_tuner.Oracle) or oracle is last:
        fail(_NAME, "oracle_factory", allowed, oracle)
    return oracle


def _outer_record(tuner, data, number, groups, callbacks, verbose, fit_kwargs):
    """Searches without an outer fold, and measures the best model on it."""
    (arguments, keywords), (train, _) = data.fold(number), data.indices(number)
    test = keywords.pop("validation_data")
    tuner.search(
        *arguments,
        **keywords,
        groups=None if groups is None else np.asarray(groups)[train],
        callbacks=callbacks,
        verbose=1 if verbose == 2 else 0,
        **fit_kwargs,
    )
    [model] = tuner.get_best_models()
    weight = {"sample_weight": test[2]} if len(test) == 3 else {}
    found = model.evaluate(*test[:2], **weight, verbose=0, return_dict=True)
    best = tuner.cross_validation_results()[0]
    return {
        "metrics": _metrics(found, tuner.oracle.objective),
        "best_epoch": None,
        "search_score": best["mean"],
        "hyperparameters": best["hyperparameters"],
    }


def _metrics(found, objective):
    """The objective, from what `Model.evaluate` returned."""
    named = {f"val_{name}": float(value) for name, value in found.items()}
    named |= {name: float(value) for name, value in found.items()}
    if not objective.has_value(named):
        raise ValueError(
            f"The oracles' objective in {_NAME} must be a metric that "
            f"Model.evaluate reports. Received: objective={objective.name!r}, "
            f"but it reported: {', '.join(found)}. Compile the model with it."
        )
    return {objective.name: objective.get_value(named)}


def _tell(verbose, record, number, total):
    if verbose:
        [(name, score)] = record["metrics"].items()
        print_msg(
            f"Outer fold {number} of {total}: {name} {short(score)}; in the "
            f"search {short(record['search_score'])}"
        )


def _result(records):
    """The returned dict."""
    [name] = records[0]["metrics"]
    found = summary(records, name)
    chosen = [record["hyperparameters"] for record in records]
    names = dict.fromkeys(name for values in chosen for name in values)
    return {
        **{n: found[n] for n in ("scores", "mean", "std", "standard_error")},
        "search_scores": [record["search_score"] for record in records],
        "hyperparameters": chosen,
        "spread": {
            n: _spread([values[n] for values in chosen if n in values])
            for n in names
        },
    }


def _spread(values):
    """Lowest, median and highest of numbers; how often others came."""
    if all(type(value) in (int, float) for value in values):
        return {
            "lowest": min(values),
            "median": statistics.median(values),
            "highest": max(values),
        }
    return dict(Counter(values))
