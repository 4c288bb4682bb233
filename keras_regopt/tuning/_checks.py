"""Checks of what a tuner is made of."""

import os

import keras_tuner

from keras_regopt._validate import boolean, fail, instance_of, one_of
from keras_regopt.callbacks import FaultTolerant
from keras_regopt.callbacks.backup._adapters import guarded_callbacks
from keras_regopt.callbacks.backup._save_frequency import save_frequency
from keras_regopt.tuning._callbacks import check_callbacks
from keras_regopt.tuning._reused_models import check_reuse
from keras_regopt.tuning._scores import objectives_of
from keras_regopt.tuning.asha_oracle import AshaOracle


def check_hypermodel(owner, hypermodel):
    """Refuses what cannot build a model."""
    if isinstance(hypermodel, keras_tuner.Oracle) or not (
        isinstance(hypermodel, keras_tuner.HyperModel) or callable(hypermodel)
    ):
        allowed = "a HyperModel or a function that builds a model"
        fail(owner, "hypermodel", allowed, hypermodel)


def check_oracle(owner, oracle):
    """Refuses what is no oracle, or cannot tell which of two trials is better.

    For Keras Tuner, `max_trials=0` has no end.
    """
    kind = "a Keras Tuner oracle"
    instance_of(owner, "oracle", oracle, keras_tuner.Oracle, kind)
    for objective in objectives_of(oracle.objective):
        if objective.direction not in ("min", "max"):
            allowed = "an oracle whose objectives are to 'min' or 'max'"
            fail(owner, "oracle", allowed, str(objective))
    if oracle.max_trials is not None and oracle.max_trials < 1:
        allowed = "an oracle with `max_trials` of at least 1"
        fail(owner, "oracle", allowed, oracle.max_trials)


def check_place(owner, directory, options):
    """Refuses folders elsewhere, and searches in several processes."""
    if "://" in str(directory):
        fail(owner, "directory", "a local folder", directory)
    if options.get("executions_per_trial", 1) != 1:
        fail(
            owner,
            "executions_per_trial",
            "left out",
            options["executions_per_trial"],
            "To repeat folds, give `folds` a repeated splitter.",
        )
    if "KERASTUNER_ORACLE_IP" in os.environ:
        raise ValueError(
            f"{type(owner).__name__} runs in one process. Received: the "
            "environment variable KERASTUNER_ORACLE_IP, which asks for a "
            "distributed search. Unset it."
        )


def check_search(owner, callbacks, verbose, validation_data, arguments):
    """Refuses what a search cannot be run with."""
    check_split(owner, validation_data, arguments)
    one_of(owner, "verbose", verbose, ("auto", 0, 1, 2))
    check_callbacks(owner, callbacks)
    check_backups(owner, callbacks, arguments)
    check_reuse(owner, callbacks)


def check_split(owner, validation_data, arguments):
    """Refuses validation data as well as folds."""
    given = {**arguments, "validation_data": validation_data}
    names = ["validation_split", "validation_freq"]
    if owner.folds is not None:
        names.append("validation_data")
    for name in names:
        if given.get(name) is not None:
            remedy = (
                "The folds make the validation data. For a split of your own, "
                "give the tuner `folds=None`, and search() `validation_data`."
            )
            fail(owner, name, "left out", given[name], remedy)


def check_save_frequency(owner, save_freq):
    """How often folds are saved, or `None` for never."""
    return None if save_freq is None else save_frequency(owner, save_freq)


def check_stop_hopeless(owner, stop_hopeless, oracle):
    """Whether hopeless trials end early: none that may be promoted."""
    boolean(owner, "stop_hopeless", stop_hopeless)
    if stop_hopeless and isinstance(oracle, AshaOracle):
        fail(owner, "stop_hopeless", "False with AshaOracle", stop_hopeless)
    return stop_hopeless


def check_backups(owner, callbacks, arguments):
    """Refuses what cannot go on from backups, where there are any."""
    in_rungs = isinstance(owner.oracle, AshaOracle)
    if in_rungs and arguments.get("epochs") is not None:
        epochs = owner.oracle.max_epochs
        if arguments["epochs"] != epochs:
            allowed = f"left out, or {epochs}, the oracle's `max_epochs`"
            fail(owner, "epochs", allowed, arguments["epochs"])
    if in_rungs or owner.save_freq is not None:
        for callback in callbacks:
            if isinstance(callback, FaultTolerant):
                allowed = "without FaultTolerant, since the tuner saves folds"
                fail(owner, "callbacks", allowed, callback)
        guarded_callbacks(owner, callbacks)


def let_go_on(oracle):
    """Tells an oracle that trials may be promoted and go on."""
    if isinstance(oracle, AshaOracle):
        oracle.goes_on = True
