"""What curves of scores, one a fold, have in common."""

from html import escape

import numpy as np

from keras_regopt._html import table


class FoldCurve:
    """Base of the results that hold scores by fold and end in a sentence.

    A subclass writes `_table()`, the header and the rows, and `_sentence()`.
    """

    is_score: bool
    train_scores: np.ndarray
    dev_scores: np.ndarray

    @property
    def train_errors(self):
        """The errors on the training rows, an array like the scores."""
        return 1 - self.train_scores if self.is_score else self.train_scores

    @property
    def dev_errors(self):
        """The errors on the rows of the folds, an array like the scores."""
        return 1 - self.dev_scores if self.is_score else self.dev_scores

    def text(self):
        """The curve and the verdict as lines of text."""
        header, rows = self._table()
        lines = [
            "  ".join(f"{cell!s:>12}" for cell in line)
            for line in (header, *rows)
        ]
        return "\n".join([*lines, self._sentence()])

    def __str__(self):
        return self.text()

    def _repr_html_(self):
        sentence = escape(self._sentence(), quote=False)
        return f"{table(*self._table())}<p>{sentence}</p>"

    def _table(self):
        raise NotImplementedError

    def _sentence(self):
        raise NotImplementedError
