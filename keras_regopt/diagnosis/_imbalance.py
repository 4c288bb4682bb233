"""Classes so rare that an accuracy hides them."""

from typing import NamedTuple

import numpy as np

from keras_regopt.diagnosis._curves import CLEAN, one_class_only, to_errors
from keras_regopt.diagnosis._metric_names import (
    is_accuracy,
    judges_rare_classes,
)
from keras_regopt.diagnosis._sampling import Z
from keras_regopt.diagnosis._targets import are_labels, largest_share

# With a larger class than this, two right answers in a hundred tell nothing.
_LARGE = 0.9


class Choice(NamedTuple):
    """What is judged in the place of an accuracy.

    `balanced` averages the error over the classes; `share` is the fraction of
    the largest class, where the accuracy is judged against it.
    """

    metric: str
    balanced: bool = False
    share: float | None = None
    cause: str = ""
    remarks: tuple[str, ...] = ()


def choose(lists, metric, rows, y, given, rules):
    """The `Choice` for a metric.

    Args:
        lists: The curves by name.
        metric: The metric that was chosen.
        rows: The `RowErrors` by part.
        y: The training targets, or `None`.
        given: The `Given`.
        rules: The `Rules`.
    """
    if not is_accuracy(metric):
        return Choice(metric)
    if {"train", "dev"} <= set(rows):
        return _by_rows(metric, rows)
    remark = ""
    if y is not None and are_labels(y):
        share = largest_share(y)
        if not _hides(lists, metric, share, given.rows("dev") or len(y)):
            return Choice(metric)
        remark = _remark(lists, metric, share)
    else:
        shown = one_class_only(lists, metric)
        if not shown:
            return Choice(metric)
        remark = (
            f"The dev metric {shown!r} shows that one class is never "
            "predicted, which the accuracy hides."
        )
        share = None
    better = [
        name
        for name in lists
        if judges_rare_classes(name)
        and not name.startswith(("val_", CLEAN))
        and f"val_{name}" in lists
    ]
    if better and rules.monitor == "auto":
        told = f"So {better[0]!r} is judged."
        return Choice(better[0], remarks=(f"{remark} {told}",))
    if share is None:
        return Choice(metric, cause="one class")
    told = "So its error is judged against that of this answer."
    return Choice(metric, share=share, remarks=(f"{remark} {told}",))


def _by_rows(metric, rows):
    train, dev = rows["train"], rows["dev"]
    if train.labels is None or dev.labels is None:
        return Choice(metric)
    share = dev.largest_class()
    if not (dev.answers_the_largest_class() or share > _LARGE):
        return Choice(metric)
    right = 1 - float(dev.errors.mean())
    told = _told(right, share, dev.answers_the_largest_class())
    told += " So the balanced accuracy is judged, each class alike."
    return Choice("balanced_accuracy", balanced=True, remarks=(told,))


def _hides(lists, metric, share, rows):
    """Whether an accuracy is that of the largest class, or near 1 anyway."""
    right = _last(lists, metric)
    if right is None:
        return False
    half = Z * np.sqrt(share * (1 - share) / rows)
    return share > _LARGE or right <= share + half


def _remark(lists, metric, share):
    right = _last(lists, metric)
    return _told(right, share, right <= share + (1 - share) / 2)


def _told(right, share, constant):
    if constant:
        return (
            f"A dev accuracy of {100 * right:.1f} % is no better than always "
            f"answering the largest class ({100 * share:.1f} %)."
        )
    return (
        f"The largest class is {100 * share:.1f} % of the rows, so that an "
        f"accuracy of {100 * right:.1f} % tells little."
    )


def _last(lists, metric):
    curve = lists.get(f"val_{metric}", lists.get(metric, []))
    ends = [value for value in curve if value is not None][-1:]
    if not ends or not np.isfinite(ends[0]):
        return None
    form = "percent" if ends[0] > 1 else "score"
    return 1 - float(to_errors(ends[0], form))
