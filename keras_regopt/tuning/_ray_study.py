"""The study of Ray Tune that runs the trials of a search."""

import contextlib
import importlib
import os
import warnings
from typing import Any

import keras

from keras_regopt._validate import fail, instance_of, one_of
from keras_regopt.tuning._ray_trial import run_trial

SCHEDULERS = (None, "asha", "pbt")
# Ray would warn that it saves its state whenever checkpoints are dropped.
_WARNING = "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S"


def load_ray():
    """Ray, with its `tune`.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        importlib.import_module("ray.tune")
        return importlib.import_module("ray")
    except ImportError as error:
        raise ImportError(
            "ray_search needs Ray Tune: pip install keras_regopt[ray]"
        ) from error


@contextlib.contextmanager
def connected(ray, address, options):
    """Context with a cluster: one that there is already, or a new one."""
    begun = not ray.is_initialized()
    if begun:
        # Workers of another machine would have that machine's backend.
        variables = {"KERAS_BACKEND": keras.backend.backend()}
        options = {
            "runtime_env": {"env_vars": variables},
            "address": address,
            "log_to_driver": False,
            **options,
        }
        if address is None:
            # Otherwise Ray looks for one that runs here.
            options = {"include_dashboard": False, **options}
            options["address"] = "local"
        ray.init(**options)
    try:
        yield
    finally:
        if begun:
            ray.shutdown()


def check_scheduler(owner, scheduler, options, population):
    """Refuses a scheduler that does not fit the other arguments."""
    if scheduler is None or isinstance(scheduler, str):
        one_of(owner, "scheduler", scheduler, SCHEDULERS)
    if (scheduler == "pbt") != bool(population):
        allowed = "a dict with scheduler='pbt', and None otherwise"
        fail(owner, "population", allowed, population or None)
    instance_of(owner, "scheduler_options", options, dict, "a dict")
    if options and scheduler not in ("asha", "pbt"):
        allowed = "left out with a scheduler of your own, or without one"
        fail(owner, "scheduler_options", allowed, options)


def make_scheduler(scheduler, options, job, explore):
    """A scheduler of Ray.

    Args:
        scheduler: `"asha"`, `"pbt"`, `None`, or one of Ray's.
        options: Dict of more of its arguments.
        job: The `Job`.
        explore: What changes the values of a population.

    Returns:
        The scheduler, or `None`.
    """
    schedulers = importlib.import_module("ray.tune.schedulers")
    if scheduler == "asha":
        options = {
            "grace_period": max(1, job.last_epoch // 9),
            "reduction_factor": 3,
            **options,
        }
        return schedulers.ASHAScheduler(
            time_attr="epoch", max_t=job.last_epoch, **options
        )
    if scheduler == "pbt":
        options = {
            "perturbation_interval": max(1, job.epochs // 10),
            **options,
        }
        return _population_class(schedulers)(
            time_attr="epoch", custom_explore_fn=explore, **options
        )
    return scheduler


def _population_class(schedulers):
    base: Any = schedulers.PopulationBasedTraining

    class Population(base):
        """Leaves a trial alone that has reported its outcome."""

        def on_trial_result(self, controller, trial, result):
            if "outcome" in result:
                return schedulers.TrialScheduler.CONTINUE
            return super().on_trial_result(controller, trial, result)

    return Population


def run_study(job, trials, folder, scheduler, settings):
    """Runs the trials, or goes on with them.

    Args:
        job: The `Job`.
        trials: List of the trials, as `drawn_trials` makes them.
        folder: Folder of the study.
        scheduler: A scheduler of Ray, or `None`.
        settings: Dict of `"resources"`, `"max_failures"`, `"max_concurrent"`
            and `"verbose"`.

    Returns:
        Ray's `ResultGrid`.
    """
    tune = importlib.import_module("ray.tune")
    os.environ.setdefault(_WARNING, "0")
    trainable = tune.with_resources(
        tune.with_parameters(_trial_of_search, job=job), settings["resources"]
    )
    space = {"trial": tune.grid_search(trials)}
    # One that waits to go on as a copy needs a checkpoint of another trial,
    # which may be old by then.
    copies = any(trial["population"] for trial in trials)
    if tune.Tuner.can_restore(folder):
        return tune.Tuner.restore(
            folder, trainable, param_space=space, resume_unfinished=True
        ).fit()
    storage, name = os.path.split(folder)
    return tune.Tuner(
        trainable,
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=job.objective.name,
            mode=job.objective.direction,
            scheduler=scheduler,
            max_concurrent_trials=settings["max_concurrent"],
            # A process that has trained one trial goes on with the next one.
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=storage,
            name=name,
            verbose=settings["verbose"],
            failure_config=tune.FailureConfig(
                max_failures=settings["max_failures"]
            ),
            checkpoint_config=tune.CheckpointConfig(
                num_to_keep=None if copies else 3
            ),
        ),
    ).fit()


def _trial_of_search(config, job):
    """What a worker runs."""
    tune = importlib.import_module("ray.tune")

    def report(metrics, folder):
        checkpoint = tune.Checkpoint.from_directory(folder)
        tune.report(metrics, checkpoint=checkpoint)

    trial = config["trial"]
    if trial["population"]:
        # A copy of another trial has that one's number.
        name = tune.get_context().get_trial_id()
        trial = {**trial, "name": name}
    checkpoint = tune.get_checkpoint()
    start = contextlib.nullcontext()
    if checkpoint is not None:
        start = checkpoint.as_directory()
    with start as folder:
        run_trial(job, trial, folder, report)


def outcomes(grid):
    """The last reports of the trials that have reported an outcome.

    Warns of those that failed.

    Args:
        grid: Ray's `ResultGrid`.

    Returns:
        A list of triples: the number of a trial, its configuration, and the
        dict of metrics.

    Raises:
        RuntimeError: If no trial has succeeded.
    """
    ended = [
        (_number(result), result.config["trial"], result.metrics)
        for result in grid
        if result.error is None and "outcome" in (result.metrics or {})
    ]
    good = [trial for trial in ended if trial[-1]["finished"]]
    errors = [result.error for result in grid if result.error is not None]
    reasons = [_first_line(error) for error in errors]
    reasons += ["the objective is not finite"] * (len(ended) - len(good))
    if reasons:
        number = len(reasons)
        text = f"{number} of {len(grid)} trials failed; the first: {reasons[0]}"
        if not good:
            raise RuntimeError(f"No trial has succeeded. {text}")
        warnings.warn(text, stacklevel=3)
    return good


def _number(result):
    """The number of a trial; Ray returns them in any order."""
    trial = result.config["trial"]
    if not trial["population"]:
        return trial["number"]
    # A copy of another trial has that one's number, and an own name of Ray.
    return int(result.metrics["trial_id"].rpartition("_")[2])


def _first_line(error):
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # Of a worker's error, its traceback stands first.
    return lines[-1]
