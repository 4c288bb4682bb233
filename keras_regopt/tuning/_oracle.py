"""Base of the oracles of this package."""

import math
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from keras_regopt._hints import Hinting
from keras_regopt._validate import instance_of, integer, positive_int
from keras_regopt.tuning._curves import better_share, end_pruned
from keras_regopt.tuning._encoding import Encoding


class SeededOracle(Hinting, keras_tuner.Oracle):
    """Oracle whose trials follow from its seed and the trials before.

    A subclass writes `propose(number, encoding, tried)`.

    Args:
        objective: As for `keras_tuner.Oracle`.
        max_trials: Number of trials, at least 1, or `None` for no limit.
        seed: Seed, at least 0.
        **kwargs: More of `keras_tuner.Oracle`'s.

    Raises:
        ValueError: If `max_trials` or `seed` is out of its range.
    """

    def __init__(
        self,
        objective: Any,
        max_trials: int | None,
        seed: int,
        **kwargs,
    ):
        max_trials = positive_int(self, "max_trials", max_trials, optional=True)
        seed = integer(self, "seed", seed, low=0)
        space = kwargs.get("hyperparameters")
        if space is not None:
            kind = "a keras_tuner.HyperParameters"
            types = keras_tuner.HyperParameters
            instance_of(self, "hyperparameters", space, types, kind)
        super().__init__(
            objective=objective, max_trials=max_trials, seed=seed, **kwargs
        )
        # For Keras Tuner, 0 is none.
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """What the trials depend on, as plain values."""
        return {"oracle_seed": self.seed}

    def populate_space(self, trial_id):
        """Values for the next trial.

        Args:
            trial_id: The trial's name.

        Returns:
            A dict of `"status"`, and `"values"` unless all were tried.
        """
        encoding = Encoding(self.get_space().space)
        tried = {
            known(encoding, trial.hyperparameters.values)
            for trial in self.trials.values()
        }
        values = self.propose(self.proposed(), encoding, tried)
        if values is None:
            return {"status": TrialStatus.STOPPED}
        return {"status": TrialStatus.RUNNING, "values": values}

    def proposed(self):
        """How many values were proposed."""
        return len(self.trials)

    def propose(self, number, encoding, tried):
        """Values that were not tried yet.

        Args:
            number: How many trials there were.
            encoding: The `Encoding` of the space.
            tried: Set of what `known` returned for these.

        Returns:
            A dict, or `None` to end the search.
        """
        raise NotImplementedError

    def losses(self):
        """Pairs of the values and the loss of each trial, in their order.

        The loss is to be minimized. It is `None` of a trial that runs, and
        infinite of one that failed or was pruned, or whose objective is not
        finite.
        """
        ended = set(self.end_order)
        return [
            (
                self.trials[name].hyperparameters.values,
                self._loss(self.trials[name]) if name in ended else None,
            )
            # Keras Tuner reloads its trials in any order.
            for name in self.start_order
        ]

    def shares(self):
        """Which share of the others was better when a trial was pruned.

        Returns:
            A list of numbers in 0..1 and, for those that were not pruned,
            `None`, in the order of `losses`.
        """
        return [better_share(self.trials[name]) for name in self.start_order]

    def end_trial(self, trial):
        """Ends a trial; one that was pruned gets no score."""
        end_pruned(self, trial)
        super().end_trial(trial)

    def _loss(self, trial):
        score = trial.score
        if trial.status != TrialStatus.COMPLETED or not math.isfinite(score):
            return math.inf
        return -score if self.objective.direction == "max" else score


def known(encoding, values):
    """What is equal for equal values of the hyperparameters of a space."""
    names = dict.fromkeys(axis.hp.name for axis in encoding.axes)
    return tuple((name, values[name]) for name in names if name in values)


def settings_of(oracle):
    """What the trials of an oracle depend on, as far as it tells."""
    return oracle.settings() if isinstance(oracle, SeededOracle) else {}
