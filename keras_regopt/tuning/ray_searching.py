"""Searches on several processes or machines, by Ray Tune."""

import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from typing import Any

import keras
import keras_tuner

from keras_regopt._types import Path
from keras_regopt._validate import fail, integer
from keras_regopt.tuning import _state
from keras_regopt.tuning._folds import check_folds
from keras_regopt.tuning._lock import alone
from keras_regopt.tuning._made_with import comparable
from keras_regopt.tuning._population import (
    Explore,
    check_names,
    check_population,
)
from keras_regopt.tuning._ray_checks import (
    checked_callbacks,
    checked_data,
    checked_folder,
    checked_hypermodel,
    checked_objective,
    checked_settings,
)
from keras_regopt.tuning._ray_space import drawn_trials, searched_space
from keras_regopt.tuning._ray_study import (
    check_scheduler,
    connected,
    load_ray,
    make_scheduler,
    outcomes,
    run_study,
)
from keras_regopt.tuning._ray_trial import Job
from keras_regopt.tuning._results import CrossValidationResults
from keras_regopt.tuning._resumable_tuner import HyperModel
from keras_regopt.tuning._scores import summary

_NAME = "ray_search"


def ray_search(
    hypermodel: HyperModel,
    space: keras_tuner.HyperParameters | dict[str, Any] | None,
    data: tuple[Any, ...],
    folds: int | Any | None,
    num_samples: int,
    storage_path: Path,
    *,
    epochs: int,
    objective: Any = "val_loss",
    scheduler: Any = "asha",
    population: dict[str, Any] | None = None,
    scheduler_options: dict[str, Any] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    groups: Any = None,
    validation_data: Any = None,
    stratify: bool | str = "auto",
    seed: int = 0,
    project_name: str = _NAME,
    overwrite: bool = False,
    address: str | None = None,
    init: dict[str, Any] | None = None,
    resources: dict[str, float] | None = None,
    max_failures: int = 3,
    max_concurrent: int | None = None,
    verbose: int = 1,
    **fit_kwargs: Any,
) -> CrossValidationResults:
    """Searches hyperparameters by several folds, in many processes, with Ray.

    Use it where one process is too slow: it runs trials at the same time, on
    the cores of one machine or, with `address`, on all machines of a cluster.
    Elsewhere, `CrossValidationTuner` needs no Ray, and proposes values by a
    model. Ray Tune is installed by `pip install keras_regopt[ray]`.

    The values are those that `RandomOracle` draws. A trial trains one model a
    fold and reports, after each epoch, the mean of the best scores of its folds
    so far, by which the scheduler ends it early. It also leaves a checkpoint
    in `storage_path`: after the loss of its process or its machine, it goes on
    there, and ends as it would have. So does the search, when the same program
    runs again.

    With `scheduler="pbt"` (population-based training), bad trials go on as
    copies of good ones, with other values of what `population` names. The
    models are not compiled again for these. All their checkpoints are kept,
    as any trial may go on from them.

    Args:
        hypermodel: As for `CrossValidationTuner`. What it is made of must be
            importable by the workers.
        space: The `HyperParameters` to search, or a dict of their names and of
            each a `Range` or `Options`, the others having their defaults, or
            `None` for all that a build declares.
        data: Tuple of inputs, targets and, if wanted, sample weights, as for
            `CrossValidationTuner.search`.
        folds: As for `CrossValidationTuner`. With `scheduler="pbt"`, a single
            split.
        num_samples: Number of trials, at least 1.
        storage_path: Folder for the search. On a cluster, one that all its
            machines have.
        epochs: Epochs of each fold, at least 1.
        objective: The metric to optimize, such as `"val_loss"`, or a
            `keras_tuner.Objective`. Defaults to `"val_loss"`.
        scheduler: `"asha"`, `"pbt"`, `None` to let all trials end, or a
            scheduler of `ray.tune.schedulers` whose `time_attr` is
            `"epoch"`. Defaults to `"asha"`.
        population: For `"pbt"`: dict of what changes in training and of each
            a `Range`. The names are `"learning_rate"`, and `"layer.attribute"`
            for what `HyperparameterSchedule` can set.
        scheduler_options: Optional dict of more of Ray's arguments of the
            scheduler, such as `grace_period`, in epochs of all folds, or
            `perturbation_interval`.
        callbacks: List of Keras callbacks that `FaultTolerant` can guard; each
            fold gets deep copies.
        groups: As for `CrossValidationTuner.search`.
        validation_data: With `folds=None` alone, a tuple of arrays.
        stratify: As for `CrossValidationTuner`. Defaults to `"auto"`.
        seed: Seed of values, folds and training, at least 0. Defaults to `0`.
        project_name: Folder of this search within `storage_path`. Defaults to
            `"ray_search"`.
        overwrite: Whether to delete the project and start again. Defaults to
            `False`.
        address: Address of a Ray cluster, such as `"auto"`; `None` starts Ray
            on this machine. Ray that runs in this process already is used.
        init: Optional dict of more arguments of `ray.init`.
        resources: What a trial takes. Defaults to `{"cpu": 1}`.
        max_failures: How often a trial may lose its process, or raise, before
            it counts as failed; at least 0. Defaults to `3`.
        max_concurrent: Most trials at the same time. Defaults to as many as
            there are resources for.
        verbose: Ray's: 0 prints nothing. Defaults to `1`.
        **fit_kwargs: More arguments of `HyperModel.fit`, such as
            `batch_size`.

    Returns:
        A list of dicts, those of
        `CrossValidationTuner.cross_validation_results`, the best first, of the
        trials that trained all folds. With `"pbt"` each has a `"path"`, too: a
        list of dicts, the `"epoch"` and the values that it was trained with.

    Raises:
        ValueError: If an argument is not allowed, or the project was begun
            with other ones.
        RuntimeError: If no trial has succeeded, or another process searches
            in the project.
        ImportError: If Ray is not installed.

    References:
        Liaw et al. 2018, Tune: a research platform for distributed model
        selection and training (arXiv 1807.05118). Jaderberg et al. 2017,
        Population based training of neural networks (arXiv 1711.09846). Li et
        al. 2020, A system for massively parallel hyperparameter tuning (arXiv
        1810.05934).
    """
    owner = _Search(folds, stratify, seed)
    integer(owner, "num_samples", num_samples, low=1)
    integer(owner, "epochs", epochs, low=1)
    population = check_population(owner, population)
    options = {} if scheduler_options is None else scheduler_options
    check_scheduler(owner, scheduler, options, population)
    settings = checked_settings(owner, resources, max_failures, max_concurrent)
    job = Job(
        checked_hypermodel(owner, hypermodel),
        keras_tuner.HyperParameters(),
        checked_data(owner, data, groups, validation_data, fit_kwargs),
        checked_callbacks(owner, callbacks),
        epochs,
        fit_kwargs,
        checked_objective(owner, objective),
        owner.seed,
        keras.backend.backend(),
        uuid.uuid4().hex,
    )
    if population and len(job.data) > 1:
        allowed = "a single split with scheduler='pbt'"
        fail(owner, "folds", allowed, folds, "Such as ShuffleSplit(1).")
    model = job.hypermodel.build(job.space)
    check_names(owner, population, model)
    job.space = searched_space(owner, space, job.space)
    trials = drawn_trials(
        job.objective, job.space, population, num_samples, owner.seed
    )
    ray = load_ray()
    folder = checked_folder(owner, storage_path, project_name, overwrite)
    with alone(folder), connected(ray, address, init or {}):
        _begin(folder, job, trials, scheduler, options, population)
        explore = Explore(population, owner.seed)
        made = make_scheduler(scheduler, options, job, explore)
        grid = run_study(
            job, trials, folder, made, {**settings, "verbose": verbose}
        )
        return _results(outcomes(grid), job.objective)


class _Search(str):
    """What the folds depend on, under the name that errors give."""

    folds: Any
    stratify: Any
    seed: int

    def __new__(cls, folds, stratify, seed):
        self = super().__new__(cls, _NAME)
        self.folds = check_folds(self, folds)
        self.stratify = stratify
        self.seed = integer(self, "seed", seed, low=0)
        return self


def _begin(folder, job, trials, scheduler, options, population):
    """Notes what the results depend on, and refuses to go on otherwise."""
    kind = scheduler
    if not isinstance(scheduler, (str, type(None))):
        kind = type(scheduler).__name__
    text = json.dumps(trials, sort_keys=True)
    made_with = {
        "backend": job.backend,
        "seed": job.seed,
        "objective": str(job.objective),
        "epochs": job.epochs,
        "num_samples": len(trials),
        "space": hashlib.sha256(text.encode()).hexdigest()[:16],
        "scheduler": kind,
        "scheduler_options": repr(sorted(options.items())),
        "population": repr(sorted(population.items())),
        **comparable(job.fit_kwargs, job.callbacks),
        **job.data.fingerprint(),
    }
    path = os.path.join(folder, "made_with.json")
    if os.path.exists(path):
        _state.require_same(folder, _state.read_json(path), made_with)
    else:
        _state.write_json(path, made_with)


def _results(ended, objective):
    """The results of the trials that trained all folds, the best first."""
    results = []
    for number, trial, metrics in ended:
        outcome = json.loads(metrics["outcome"])
        result = {
            "trial_id": str(number),
            "hyperparameters": {
                **outcome["hyperparameters"],
                **trial["population"],
            },
            **summary(outcome["records"], objective.name),
        }
        if trial["population"]:
            result["path"] = outcome["path"]
        results.append(result)
    sign = -1 if objective.direction == "max" else 1
    results.sort(key=lambda result: sign * result["mean"])
    return CrossValidationResults(results)
