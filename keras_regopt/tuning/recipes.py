"""A study from the checks to the test, by a recipe."""

import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import keras

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt._types import Path
from keras_regopt._validate import (
    boolean,
    fail,
    in_range,
    integer,
    one_of,
    positive_int,
)
from keras_regopt.tuning._callbacks import check_callbacks
from keras_regopt.tuning._recipe_data import parts_of_data
from keras_regopt.tuning._recipe_run import RecipeRun
from keras_regopt.tuning._remedies import choose_remedies, parts_of
from keras_regopt.tuning.recipe_result import RecipeResult


def recipe(
    build: Callable[..., keras.Model],
    data: Any,
    budget: int = 64,
    *,
    remedies: str | Sequence[str] = "auto",
    max_remedies: int = 3,
    checks: str | Sequence[Any] = "all",
    folds: int = 4,
    monitor: str = "auto",
    mode: str = "auto",
    reference: float | None = None,
    tolerance: float | None = None,
    epochs: int = 1,
    seed: int = 0,
    directory: Path | None = None,
    overwrite: bool = False,
    report: Path | None = None,
    title: str = "Recipe",
    verbose: int = 1,
    **fit,
) -> RecipeResult:
    """Takes a plain model through checks, diagnosis and remedies to the test.

    1. `check` looks at the plain model, `build()`, and the data. It ends here
       if there is an error, which no remedy would mend.
    2. The plain model is trained on the train part, and `diagnose` tells bias
       from variance by the train and dev parts.
    3. The first remedy that the verdict calls for, and that `build` takes, is
       cross-validated at each of its strengths on the train and dev rows. The
       best one is kept if it lowers the mean error by more than the standard
       error of the paired differences of the folds. Then the model is
       diagnosed again. At most `max_remedies` are tried.
    4. If a gap is still high, `learning_curve` tells whether more data would
       help: if so, the outcome is "the data are the limit".
    5. The plain and the best model are trained on the train and dev rows, and
       evaluated on the test part, once.

    `build` gets what is to be changed by its arguments. It takes one or more of
    these, each with a default that makes the plain model:

    - `optimizer`: the plain model's optimizer with another learning rate
      (remedy `"learning_rate"`: times 0.3, 3, 10) or weight decay
      (`"weight_decay"`: 0.01, 0.1, 1);
    - `width`: a factor of the numbers of units (`"width"`: 2, 4);
    - `augmentation`: a `RandomAffine` layer, for images
      (`"augmentation"`: 0.5, 1, 2 times rotations of 0.03 turns, zooms of 0.1
      and shifts of 0.08);
    - `dropout`: a rate (`"dropout"`: 0.2, 0.4, 0.6);
    - `kernel_regularizer`: an `L2` (`"l2"`: 1e-4, 1e-3, 1e-2);
    - `label_smoothing`: a fraction (`"label_smoothing"`: 0.1, 0.2).

    The remedy `"epochs"` (2, 4 times as many) needs no argument. Epochs,
    learning rate and width are for bias, the others for variance.

    Args:
        build: Function of these parts that returns a compiled model.
        data: A pair `(x, y)` of independent rows, of which 60 % are for
            training, 20 % for dev and 20 % for test, or what `split` returned.
        budget: How many trainings it may take, at least 3. A remedy that would
            exceed it is not tried. Defaults to `64`.
        remedies: List of names of remedies that may be tried, in order.
            Defaults to `"auto"`: all that `build` takes.
        max_remedies: How many are tried at most, at least 0. Defaults to `3`.
        checks: `"all"`, or a list as for `check`; an empty one checks nothing.
        folds: Number of folds, at least 2. Defaults to `4`.
        monitor: Metric to judge by. Defaults to `"auto"`, as for `diagnose`.
        mode: `"max"`, `"min"` or `"auto"`, as for `diagnose`.
        reference: The lowest error that can be reached, at least 0, or `None`.
        tolerance: The gap from which on it is high, above 0. Defaults to
            `None`, as for `diagnose`.
        epochs: Epochs of a training, at least 1. Defaults to `1`.
        seed: Seed of the split, the folds and the trainings, at least 0.
        directory: Folder for what is finished, from where the same call goes
            on after an interruption, or with a larger budget. Defaults to
            `None`, which keeps no file.
        overwrite: Whether to begin again, rather than to go on.
        report: Where to write the report. Defaults to `None`: `report.html` in
            the directory, if there is one.
        title: Title of the report.
        verbose: 0 prints nothing, 1 a line a step. Defaults to `1`.
        **fit: More arguments of `Model.fit`, such as `batch_size`, and
            `callbacks`, of which each training gets copies.

    Returns:
        A `RecipeResult` with the best model; print it.

    Raises:
        ValueError: If `build` takes none of the parts or demands another
            argument, a remedy needs a part that it does not take, the data
            cannot be split, or the directory holds another recipe.
        ImportError: If a report is asked for, and Matplotlib is not installed.

    Examples:
        >>> def build(dropout=0.0):
        ...     layers = [
        ...         keras.layers.Dense(8, "relu"),
        ...         keras.layers.Dropout(dropout),
        ...         keras.layers.Dense(2, "softmax"),
        ...     ]
        ...     model = keras.Sequential(layers)
        ...     model.compile("adam", "sparse_categorical_crossentropy")
        ...     return model
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> y = (x[:, 0] > 0).astype(int)
        >>> result = recipe(build, (x, y), budget=3, checks=(), verbose=0)
        >>> result.trainings <= 3, result.model.count_params()
        (True, 42)

    References:
        Karpathy 2019, A recipe for training neural networks.
        Ng 2018, Machine learning yearning.
    """
    parts = parts_of(recipe, _function(build))
    chosen = choose_remedies(recipe, remedies, parts)
    positive_int(recipe, "epochs", epochs)
    integer(recipe, "budget", budget, low=3)
    integer(recipe, "max_remedies", max_remedies, low=0)
    integer(recipe, "folds", folds, low=2)
    integer(recipe, "seed", seed, low=0, high=2**32 - 1)
    one_of(recipe, "mode", mode, ("auto", "min", "max"))
    one_of(recipe, "verbose", verbose, (0, 1))
    boolean(recipe, "overwrite", overwrite)
    in_range(recipe, "reference", reference, low=0, optional=True)
    in_range(recipe, "tolerance", tolerance, above=0, optional=True)
    check_callbacks(recipe, fit.get("callbacks", ()))
    for name in ("validation_data", "validation_split"):
        if name in fit:
            remedy = "The dev part is taken from `data`."
            fail(recipe, name, "left out", type(fit[name]).__name__, remedy)
    directory = None if directory is None else os.fspath(directory)
    if report is None and directory is not None:
        report = os.path.join(directory, "report.html")
    if report is not None:
        require_matplotlib()
    options = SimpleNamespace(
        budget=budget,
        most=max_remedies,
        checks=checks,
        folds=folds,
        monitor=monitor,
        mode=mode,
        reference=reference,
        tolerance=tolerance,
        epochs=epochs,
        seed=seed,
        directory=directory,
        overwrite=overwrite,
        report=None if report is None else os.fspath(report),
        title=title,
        verbose=verbose,
        fit=fit,
    )
    split = parts_of_data(recipe, data, seed)
    return RecipeRun(recipe, build, split, chosen, options).result()


def _function(build):
    """The function itself, or an error."""
    if not callable(build) or isinstance(build, (keras.Model, str)):
        allowed = "a function of parts that returns a compiled model"
        fail(recipe, "build", allowed, build)
    return build
