"""How the error depends on the number of rows, and on one argument."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_regopt._types import Path
from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.tuning._curve_data import (
    Request,
    epochs_for,
    labels_of,
    nested_order,
    rows_of_sizes,
)
from keras_regopt.tuning._curve_runs import Run
from keras_regopt.tuning._learning_curve import LearningCurve
from keras_regopt.tuning._validation_curve import ValidationCurve


def learning_curve(
    build: Callable[[], keras.Model],
    x: Any,
    y: Any = None,
    sizes: Sequence[float] = (0.1, 0.16, 0.25, 0.4, 0.63, 1.0),
    folds: int | Any = 5,
    *,
    sample_weight: Any = None,
    groups: Any = None,
    stratify: bool | str = "auto",
    monitor: str = "auto",
    mode: str = "auto",
    reference: float = 0.0,
    worthwhile: float = 0.1,
    same_steps: bool = True,
    epochs: int = 1,
    seed: int = 0,
    processes: int = 1,
    directory: Path | None = None,
    project_name: str = "learning_curve",
    overwrite: bool = False,
    verbose: int = 1,
    **fit,
) -> LearningCurve:
    """Tells by trainings on parts of the data whether more data would help.

    A model is trained for each size and each fold, and evaluated on the
    rows that it was trained on and on those of the fold. The dev errors are
    continued by an inverse power law of the number of rows `n`,

        error(n) = floor + scale * n ** -exponent,

    with a band of 90 % from a bootstrap over the folds. The verdict is:

    - `"more data"`: with twice the rows, the law's error above the reference
      falls by more than `worthwhile`, at the lower end of the band;
    - `"a larger model"`: it falls by less than that at the upper end, and the
      training error is more than half of the dev error: both are too high;
    - `"at the reference"`: the dev error is no higher than a `reference`
      above zero;
    - `"cannot tell"`: anything else, with the reason.

    Sizes are nested: a smaller one is a part of a larger one, with the
    proportions of the classes, or of whole groups.

    Args:
        build: Function without arguments that returns a compiled model.
        x: Inputs: an array, or dicts, tuples and lists of arrays.
        y: Targets, in the same forms.
        sizes: Fractions of the rows of a training part, above 0 and up to 1,
            or numbers of rows, as in scikit-learn. Four or more are needed to
            continue the curve. Defaults to six from a tenth to all.
        folds: Number of folds, at least 2, or a scikit-learn splitter, as for
            `CrossValidationTuner`. Defaults to `5`.
        sample_weight: Optional weights, in the same forms.
        groups: Optional group of each sample; none is ever split up.
        stratify: As for `CrossValidationTuner`. Defaults to `"auto"`.
        monitor: Metric to judge by. Defaults to `"auto"`, as for `diagnose`.
        mode: `"max"` if higher is better, `"min"` if lower is, or `"auto"`, the
            default, to tell by the metric's name.
        reference: The lowest error that can be reached, at least 0, in the
            metric's unit. Defaults to `0`.
        worthwhile: The fraction of the error that twice the rows must
            save, between 0 and 1. Defaults to `0.1`.
        same_steps: Whether a smaller size trains for as many steps as the
            largest one, in more epochs. With as many epochs, it would learn
            less for want of steps, and more rows would seem to help.
            Defaults to `True`.
        epochs: Epochs at the largest size, at least 1. Defaults to `1`.
        seed: Seed of folds, sizes and trainings, at least 0. Each training has
            a seed of its own, and this process's global seeds are set.
        processes: How many trainings run at the same time, at least 1, each
            in a process of its own that imports `build`. Defaults to `1`, in
            this process.
        directory: Folder for the results of finished trainings, from where
            the same call goes on after a kill, or with more sizes. Defaults to
            `None`, which keeps no file.
        project_name: Folder of this curve within it.
        overwrite: Whether to begin again, rather than to go on.
        verbose: 0 prints nothing, 1 a line a training. Defaults to `1`.
        **fit: More arguments of `Model.fit`, such as `batch_size`, and
            `callbacks`, of which each training gets copies.

    Returns:
        A `LearningCurve`.

    Raises:
        ValueError: If an argument is not allowed, the data cannot be split so,
            or the project was begun with other data or arguments.
        RuntimeError: If a file is damaged or in use by another process.

    Examples:
        >>> def build():
        ...     model = keras.Sequential([keras.layers.Dense(1)])
        ...     model.compile(keras.optimizers.SGD(0.1), "mse")
        ...     return model
        >>> x = np.random.default_rng(0).normal(size=(40, 2))
        >>> curve = learning_curve(
        ...     build, x, x[:, :1], sizes=[8, 20], folds=2, verbose=0
        ... )
        >>> curve.sizes, curve.dev_scores.shape
        ((8, 20), (2, 2))
        >>> curve.verdict
        'cannot tell'

    References:
        Hestness et al. 2017, Deep learning scaling is predictable, empirically
        (arXiv 1712.00409).
        Viering and Loog 2021, The shape of learning curves: a review
        (arXiv 2103.10948).
    """
    in_range(learning_curve, "reference", reference, low=0)
    in_range(learning_curve, "worthwhile", worthwhile, above=0, below=1)
    boolean(learning_curve, "same_steps", same_steps)
    request = Request(
        learning_curve,
        build,
        (x, y, sample_weight),
        groups,
        folds,
        stratify,
        monitor,
        mode,
        epochs,
        seed,
        processes,
        (directory, project_name, overwrite),
        verbose,
        fit,
    ).checked()
    pairs = request.pairs()
    largest = min(len(train) for train, _ in pairs)
    rows = rows_of_sizes(learning_curve, sizes, largest)
    batch_size = fit.get("batch_size") or 32
    labels = labels_of(request)
    orders = [
        nested_order(train, labels, request.groups, [seed, fold])
        for fold, (train, _) in enumerate(pairs)
    ]
    runs = []
    for size in rows:
        needed = epochs
        if same_steps:
            needed = epochs_for(epochs, size, largest, batch_size)
        for fold, (_, dev) in enumerate(pairs):
            key = f"size {size}, fold {fold}, {needed} epochs"
            part = orders[fold][:size]
            runs.append(Run(key, f"{size} rows", fold, {}, part, dev, needed))
    results = request.run(runs, pairs)
    metric, score, train, dev = request.scores(results, (len(rows), -1))
    return LearningCurve(
        metric=metric,
        is_score=score,
        sizes=tuple(rows),
        train_scores=train,
        dev_scores=dev,
        reference=reference,
        worthwhile=worthwhile,
        seed=seed,
    )


def validation_curve(
    build: Callable[..., keras.Model],
    name: str,
    values: Sequence[Any],
    x: Any,
    y: Any = None,
    folds: int | Any = 5,
    *,
    sample_weight: Any = None,
    groups: Any = None,
    stratify: bool | str = "auto",
    monitor: str = "auto",
    mode: str = "auto",
    epochs: int = 1,
    seed: int = 0,
    processes: int = 1,
    directory: Path | None = None,
    project_name: str = "validation_curve",
    overwrite: bool = False,
    verbose: int = 1,
    **fit,
) -> ValidationCurve:
    """Trains a model for each value of one argument, on several folds.

    Where the error of training and dev are both high, the model is held back;
    where they part, it overfits. `sweep` does this for several arguments.

    Args:
        build: Function that takes `name` as an argument, and returns a
            compiled model.
        name: The name of the argument.
        values: List of its values, in order: numbers, strings or booleans.
        x: Inputs: an array, or dicts, tuples and lists of arrays.
        y: Targets, in the same forms.
        folds: As for `learning_curve`, and so are all further arguments.
        sample_weight: Optional weights.
        groups: Optional group of each sample.
        stratify: Whether the folds have the proportions of the classes.
        monitor: Metric to judge by. Defaults to `"auto"`.
        mode: `"max"`, `"min"` or `"auto"`.
        epochs: Epochs of each training, at least 1. Defaults to `1`.
        seed: Seed of folds and trainings, at least 0.
        processes: How many trainings run at the same time.
        directory: Folder for the results of finished trainings, or `None`.
        project_name: Folder of this curve within it.
        overwrite: Whether to begin again, rather than to go on.
        verbose: 0 prints nothing, 1 a line a training.
        **fit: More arguments of `Model.fit`.

    Returns:
        A `ValidationCurve`.

    Raises:
        ValueError: If an argument is not allowed, the data cannot be split so,
            or the project was begun with other data or arguments.
        RuntimeError: If a file is damaged or in use by another process.

    Examples:
        >>> def build(units):
        ...     layers = [keras.layers.Dense(n) for n in (units, 1)]
        ...     model = keras.Sequential(layers)
        ...     model.compile(keras.optimizers.SGD(0.1), "mse")
        ...     return model
        >>> x = np.random.default_rng(0).normal(size=(24, 2))
        >>> curve = validation_curve(
        ...     build, "units", [1, 4], x, x[:, :1], folds=2, verbose=0
        ... )
        >>> curve.values, curve.dev_scores.shape
        ((1, 4), (2, 2))
    """
    points = _checked_values(name, values)
    request = Request(
        validation_curve,
        build,
        (x, y, sample_weight),
        groups,
        folds,
        stratify,
        monitor,
        mode,
        epochs,
        seed,
        processes,
        (directory, project_name, overwrite),
        verbose,
        fit,
    ).checked()
    pairs = request.pairs()
    runs = []
    for value in points:
        point = f"{name}={value!r}"
        for fold, (train, dev) in enumerate(pairs):
            key = f"{point}, fold {fold}, {epochs} epochs"
            runs.append(
                Run(key, point, fold, {name: value}, train, dev, epochs)
            )
    results = request.run(runs, pairs)
    metric, score, train, dev = request.scores(results, (len(points), -1))
    return ValidationCurve(metric, score, name, points, train, dev)


def _checked_values(name, values):
    """The values as a tuple of Python values, each once."""
    if not isinstance(name, str) or not name.isidentifier():
        fail(validation_curve, "name", "the name of an argument", name)
    allowed = "a list of numbers, strings or booleans"
    if isinstance(values, (str, dict)) or not hasattr(values, "__iter__"):
        fail(validation_curve, "values", allowed, values)
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    if not plain or not all(isinstance(v, (int, float, str)) for v in plain):
        fail(validation_curve, "values", allowed, values)
    return tuple(dict.fromkeys(plain))
