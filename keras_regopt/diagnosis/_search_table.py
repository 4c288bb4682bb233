"""The trials of a search as columns."""

import numbers
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from keras_regopt._validate import fail


class SearchTable(NamedTuple):
    """Hyperparameters and scores of the trials of a search.

    Attributes:
        columns: Dict of names and lists of values, `None` where inactive.
        scores: Array of the mean scores.
        objective: The name of what was scored.
        higher_is_better: Whether a higher score is better.
    """

    columns: dict[str, list]
    scores: np.ndarray
    objective: str
    higher_is_better: bool

    @classmethod
    def of(cls, owner, search):
        """The table of a tuner, or of the list of its results.

        Args:
            owner: The function to name in errors.
            search: A tuner, or a list of dicts, the best first.

        Returns:
            A `SearchTable`.

        Raises:
            ValueError: If it is neither, or holds no finite score.
        """
        results, objective = search, "the objective"
        if hasattr(search, "cross_validation_results"):
            results = search.cross_validation_results()
            objective = search.oracle.objective.name
        good = isinstance(results, (list, tuple)) and all(
            isinstance(r, Mapping) and {"hyperparameters", "mean"} <= set(r)
            for r in results
        )
        if not good or not results:
            allowed = (
                "a tuner with finished trials, or a list of dicts that have "
                '"hyperparameters" and a "mean"'
            )
            fail(owner, "search", allowed, search)
        scores = np.array([r["mean"] for r in results], "float64")
        names = dict.fromkeys(n for r in results for n in r["hyperparameters"])
        columns = {
            name: [r["hyperparameters"].get(name) for r in results]
            for name in names
        }
        return cls(columns, scores, objective, bool(scores[0] > scores[-1]))

    def importances(self):
        """The share of the variance of the ranks that each column explains.

        Returns:
            A dict, the most important first; empty with fewer than four
            trials. A column that never changes is left out.
        """
        if len(self.scores) < 4 or np.ptp(self.scores) == 0:
            return {}
        ranks = _ranks(self.scores)
        found = {
            name: _explained(values, ranks)
            for name, values in self.columns.items()
            if len(set(map(str, values))) > 1
        }
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def rows(self, count):
        """The first trials as rows of a table."""
        return [
            {
                "trial": i + 1,
                **{name: _short(v[i]) for name, v in self.columns.items()},
                "score": float(self.scores[i]),
            }
            for i in range(min(count, len(self.scores)))
        ]


def is_number(values):
    """Whether values, all of them, are numbers."""
    return all(
        isinstance(v, numbers.Real) and not isinstance(v, bool) for v in values
    )


def _explained(values, ranks):
    """The share of the variance of ranks that values explain alone."""
    if is_number(values):
        own = _ranks(np.array(values, "float64"))
        return float(np.corrcoef(own, ranks)[0, 1] ** 2)
    names = np.array(list(map(str, values)))
    groups = [ranks[names == name] for name in np.unique(names)]
    mean = ranks.mean()
    between = sum(len(g) * (g.mean() - mean) ** 2 for g in groups)
    return float(between / ((ranks - mean) ** 2).sum())


def _ranks(values):
    """Ranks from 0, equal values with the mean of theirs."""
    _, inverse, counts = np.unique(
        values, return_inverse=True, return_counts=True
    )
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse]


def _short(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)
