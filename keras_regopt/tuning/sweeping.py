"""Search by hand, over a grid of a function's arguments."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import keras_tuner

from keras_regopt._types import Path
from keras_regopt._validate import fail
from keras_regopt.tuning.cross_validation_tuner import CrossValidationTuner
from keras_regopt.tuning.grid_oracle import GridOracle


def sweep(
    build: Callable[..., keras.Model],
    grid: Mapping[str, Sequence[Any]],
    x: Any,
    y: Any = None,
    objective: Any = "val_loss",
    folds: int | Any | None = 5,
    seed: int = 0,
    directory: Path | None = None,
    project_name: str = "sweep",
    **search,
) -> list[dict[str, Any]]:
    """Trains a model for each combination of arguments, and makes a table.

    It goes on where it stopped when the same program runs again; see
    `CrossValidationTuner`, which does the work.

    Args:
        build: A function that takes the names in `grid` as arguments, and
            returns a compiled model.
        grid: Dict of names and lists of values.
        x: Inputs, as for `CrossValidationTuner.search`.
        y: Targets.
        objective: The metric to compare by. Defaults to `"val_loss"`.
        folds: As for `CrossValidationTuner`. Defaults to `5`.
        seed: Seed of the folds and of all training. Defaults to `0`.
        directory: Folder of the project. Defaults to the working directory.
        project_name: Name of the project. Defaults to `"sweep"`.
        **search: More of `CrossValidationTuner.search`'s, such as `epochs`.

    Returns:
        What `CrossValidationTuner.cross_validation_results` returns: a list of
        dicts, the best first, which a notebook shows as a table.

    Raises:
        ValueError: If `grid` is not a dict of lists, or as for the tuner.

    Examples:
        >>> import tempfile
        >>> def build(units):
        ...     layers = [keras.layers.Dense(n) for n in (units, 1)]
        ...     model = keras.Sequential(layers)
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> x = np.linspace(-1, 1, 24).reshape(12, 2)
        >>> results = sweep(
        ...     build,
        ...     {"units": [2, 4]},
        ...     x,
        ...     x[:, :1],
        ...     folds=2,
        ...     directory=tempfile.mkdtemp(),
        ...     epochs=1,
        ...     verbose=0,
        ... )
        >>> sorted(result["hyperparameters"]["units"] for result in results)
        [2, 4]
    """
    space = _space(grid)

    @functools.wraps(build)
    def build_from(hp):
        return build(**{name: hp.get(name) for name in grid})

    tuner = CrossValidationTuner(
        build_from,
        GridOracle(objective, hyperparameters=space),
        folds=folds,
        seed=seed,
        directory=directory,
        project_name=project_name,
    )
    # A project that was begun has the values of then.
    tuner.oracle.hyperparameters = space.copy()
    tuner.search(x, y, **search)
    return tuner.cross_validation_results()


def _space(grid):
    """The grid as Keras Tuner's hyperparameters."""
    if not isinstance(grid, Mapping) or not grid:
        fail("sweep", "grid", "a dict of names and lists of values", grid)
    for name, values in grid.items():
        good = isinstance(values, (list, tuple)) and len(values) > 0
        kinds = {type(value) for value in values} if good else set()
        if len(kinds) != 1 or not kinds <= {bool, int, float, str}:
            allowed = "lists of numbers, strings or booleans of one type"
            fail("sweep", "grid", allowed, {name: values})
    space = keras_tuner.HyperParameters()
    for name, values in grid.items():
        space.Choice(name, list(dict.fromkeys(values)))
    return space
