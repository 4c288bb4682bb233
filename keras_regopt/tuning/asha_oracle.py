"""Asynchronous successive halving."""

import math
from typing import Any

from keras_tuner.engine.trial import TrialStatus
from keras_tuner.errors import FatalRuntimeError

from keras_regopt._validate import integer, one_of
from keras_regopt.tuning._model_oracle import ModelOracle

EPOCHS, ROUND, PARENT = "tuner/epochs", "tuner/round", "tuner/trial_id"


class AshaOracle(ModelOracle):
    """Trains many models for few epochs, and the best of them for more.

    The epochs are cut into rungs, such as 3, 9, 27 and 81. All values are tried
    for the epochs of the lowest rung. Whenever a trial is among the best
    `1 / eta` of its rung, it is promoted: as a new trial it goes on to the next
    rung, from the weights and the states of the optimizer, the schedule and the
    callbacks that it had, as if it had never paused. So a schedule is that of a
    whole training. Use it where a training is long, and where its first part
    tells a good deal about its end.

    New values come from the model of `BayesianOracle`, which is fitted to the
    trials of the highest rung that has `num_initial_points` of them. Those that
    did not get there count as the worst of these.

    It needs `CrossValidationTuner`, with any folds, or with one split. The
    backups of all paused trials stay in the project's folder, since each may be
    promoted yet.

    Args:
        objective: The metric to optimize, such as `"val_loss"`, or a
            `keras_tuner.Objective`, or a list of them.
        max_trials: Number of trials, promotions among them, at least 1. With
            four rungs and `eta=3`, two of three are new values. Defaults to
            `60`.
        max_epochs: Epochs of the highest rung, and so of a whole training, at
            least 1. Defaults to `81`.
        min_epochs: Fewest epochs of a rung, in `[1, max_epochs]`. Defaults to
            `3`.
        eta: The share of a rung that is promoted is `1 / eta`, and the next
            rung has `eta` times as many epochs; an integer, at least 2.
            Defaults to `3`.
        sampler: `"model"`, or `"random"` for values at random. Defaults to
            `"model"`.
        seed: Seed, at least 0. Defaults to `0`.
        num_initial_points: Number of the first values, which are spread over
            the space, at least 1. Defaults to `8`.
        **kwargs: More of `keras_tuner.Oracle`'s, such as `hyperparameters`
            and `max_retries_per_trial`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> AshaOracle("val_loss", max_epochs=30, min_epochs=2).rungs
        [2, 4, 10, 30]

    References:
        Li et al. 2020, A system for massively parallel hyperparameter tuning
        (arXiv 1810.05934). Falkner et al. 2018, BOHB: robust and efficient
        hyperparameter optimization at scale (arXiv 1807.01774).
    """

    # Whether the tuner lets a promoted trial go on.
    goes_on = False

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 60,
        max_epochs: int = 81,
        min_epochs: int = 3,
        eta: int = 3,
        sampler: str = "model",
        seed: int = 0,
        num_initial_points: int = 8,
        **kwargs,
    ):
        self.max_epochs = integer(self, "max_epochs", max_epochs, low=1)
        self.min_epochs = integer(
            self, "min_epochs", min_epochs, low=1, high=self.max_epochs
        )
        self.eta = integer(self, "eta", eta, low=2)
        self.sampler = one_of(self, "sampler", sampler, ("model", "random"))
        super().__init__(
            objective, max_trials, seed, num_initial_points, **kwargs
        )

    @property
    def rungs(self):
        """The epochs at the end of each rung, a list."""
        rungs = [self.max_epochs]
        while rungs[0] > 1:
            lower = math.ceil(rungs[0] / self.eta)
            if lower < self.min_epochs:
                break
            rungs.insert(0, lower)
        return rungs

    def settings(self):
        """What the trials depend on, as plain values."""
        names = ("max_epochs", "min_epochs", "eta", "sampler")
        return {**super().settings(), **{n: getattr(self, n) for n in names}}

    def populate_space(self, trial_id):
        """Values for the next trial, a promotion where there is one.

        Args:
            trial_id: The trial's name.

        Returns:
            A dict of `"status"`, and `"values"` unless all were tried.
        """
        if not self.goes_on:
            raise FatalRuntimeError(
                "AshaOracle needs CrossValidationTuner, which lets a trial go "
                "on where it paused. Other tuners would start it again."
            )
        if promotion := self._promotion():
            return {"status": TrialStatus.RUNNING, "values": promotion}
        response = super().populate_space(trial_id)
        if "values" in response:
            response["values"] |= {EPOCHS: self.rungs[0], ROUND: 0}
        return response

    def proposed(self):
        """How many values were proposed."""
        return len(self._of_rung(0))

    def propose(self, number, encoding, tried):
        """Values that were not tried yet; see the base."""
        if self.sampler == "random":
            return self.unknown(number, encoding, tried)
        return super().propose(number, encoding, tried)

    def losses(self):
        """Pairs of values and losses at the highest rung with enough trials.

        Trials that did not get there have an infinite loss.
        """
        pairs = dict(zip(self.start_order, super().losses(), strict=True))
        finished = [
            [t.trial_id for t in self._of_rung(rung, TrialStatus.COMPLETED)]
            for rung in range(len(self.rungs))
        ]
        full = [
            rung
            for rung, names in enumerate(finished)
            if len(names) >= self.num_initial_points
        ]
        rung = max(full, default=0)
        promoted = self._promoted()
        return [
            (values, loss if self._round(name) == rung else math.inf)
            for name, (values, loss) in pairs.items()
            # Of one that was promoted, it is the later trial that counts.
            if self._round(name) == rung
            or (self._round(name) < rung and name not in promoted)
        ]

    def shares(self):
        """What became of the trials of `losses`, none of them pruned."""
        return [None for _ in self.losses()]

    def superseded(self):
        """The names of trials that went on as another one, which succeeded."""
        ended = [t for t in self.trials.values() if t.score is not None]
        return {t.hyperparameters.values.get(PARENT) for t in ended}

    def origin(self, trial):
        """The trial in which the training of a trial began."""
        while parent := trial.hyperparameters.values.get(PARENT):
            trial = self.trials[parent]
        return trial

    def _promotion(self):
        """The values of the trial that is to go on, or `None`."""
        promoted = self._promoted()
        for rung in reversed(range(len(self.rungs) - 1)):
            ended = self._of_rung(rung, TrialStatus.COMPLETED)
            ended.sort(key=self._loss)
            for trial in ended[: len(ended) // self.eta]:
                if trial.trial_id not in promoted:
                    return {
                        **trial.hyperparameters.values,
                        EPOCHS: self.rungs[rung + 1],
                        ROUND: rung + 1,
                        PARENT: trial.trial_id,
                    }
        return None

    def _promoted(self):
        values = [t.hyperparameters.values for t in self.trials.values()]
        return {v[PARENT] for v in values if PARENT in v}

    def _of_rung(self, rung, status=None):
        """The trials of a rung, in the order in which they began."""
        return [
            self.trials[name]
            for name in self.start_order
            if self._round(name) == rung
            and status in (None, self.trials[name].status)
        ]

    def _round(self, name):
        return self.trials[name].hyperparameters.values.get(ROUND, 0)
