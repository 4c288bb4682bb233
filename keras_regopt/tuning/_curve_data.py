"""Arguments that learning curves and validation curves have in common."""

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_regopt._validate import boolean, fail, integer, one_of, positive_int
from keras_regopt.diagnosis._curves import choose_metric
from keras_regopt.diagnosis._metric_names import has_direction, is_score
from keras_regopt.tuning import _made_with
from keras_regopt.tuning._callbacks import check_callbacks
from keras_regopt.tuning._curve_runs import Plan, check_build, run_all
from keras_regopt.tuning._data import fingerprint, sample_count, to_arrays
from keras_regopt.tuning._folds import check_folds, class_labels, make_folds


class Request(NamedTuple):
    """What both kinds of curves are asked for.

    Attributes:
        owner: The function to name in errors.
        build: Function that builds a model.
        data: A tuple of `x`, `y` and `sample_weight`, as they were given.
        groups: One group a sample, or `None`.
        folds: A number of folds or a splitter.
        stratify: `True`, `False` or `"auto"`.
        monitor: A metric's name, or `"auto"`.
        mode: `"min"`, `"max"` or `"auto"`.
        epochs: The epochs of a training on all rows.
        seed: Seed of folds, subsets and trainings.
        processes: How many trainings run at the same time.
        place: A tuple of `directory`, `project_name` and `overwrite`.
        verbose: 0 prints nothing, 1 a line a training.
        fit: Dict of more arguments of `Model.fit`.
    """

    owner: Any
    build: Any
    data: tuple
    groups: Any
    folds: Any
    stratify: Any
    monitor: str
    mode: str
    epochs: int
    seed: int
    processes: int
    place: tuple
    verbose: int
    fit: dict[str, Any]

    def checked(self):
        """The request with arrays of NumPy; an error where it is wrong."""
        owner = self.owner
        check_build(owner, self.build)
        if self.folds is None:
            fail(owner, "folds", "a number or a splitter", None)
        check_folds(owner, self.folds)
        one_of(owner, "stratify", self.stratify, ("auto", True, False))
        one_of(owner, "mode", self.mode, ("auto", "min", "max"))
        positive_int(owner, "epochs", self.epochs)
        integer(owner, "seed", self.seed, low=0)
        positive_int(owner, "processes", self.processes)
        boolean(owner, "overwrite", self.place[2])
        one_of(owner, "verbose", self.verbose, (0, 1))
        check_callbacks(owner, self.fit.get("callbacks", ()))
        if "validation_data" in self.fit:
            remedy = (
                "The folds score the models. Where a callback needs such data, "
                "give `validation_split`."
            )
            given = self.fit["validation_data"]
            fail(owner, "validation_data", "left out", given, remedy)
        names = ("x", "y", "sample_weight")
        data = tuple(
            to_arrays(owner, name, array)
            for name, array in zip(names, self.data, strict=True)
        )
        groups = to_arrays(owner, "groups", self.groups)
        return self._replace(data=data, groups=groups)

    def pairs(self):
        """The folds, pairs of arrays of the rows of training and dev."""
        count = sample_count(
            self.owner,
            **dict(zip(("x", "y", "sample_weight"), self.data, strict=True)),
            groups=self.groups,
        )
        return make_folds(
            self.owner,
            self.folds,
            self.stratify,
            self.seed,
            count,
            self.data[1],
            self.groups,
        )

    def run(self, runs, pairs):
        """What `run_all` returns for a list of `Run`."""
        fit = dict(self.fit)
        callbacks = list(fit.pop("callbacks", ()))
        plan = Plan(
            self.owner.__name__,
            self.build,
            self.data,
            callbacks,
            fit,
            self.seed,
        )
        made_with = {
            **_made_with.comparable({**fit, "seed": self.seed}, callbacks),
            "data": fingerprint(*self.data),
            "folds": fingerprint(pairs),
        }
        directory, project_name, overwrite = self.place
        folder = None
        if directory is not None:
            folder = os.path.join(directory, project_name)
        return run_all(
            plan,
            runs,
            folder,
            made_with,
            _made_with.codes(self.build, callbacks),
            self.processes,
            {"overwrite": overwrite, "verbose": self.verbose},
        )

    def scores(self, results, shape):
        """The metric to judge by, of the training and of the dev rows.

        Args:
            results: What `run` returned.
            shape: The shape to give them: points and folds.

        Returns:
            A tuple of the metric's name, whether it is a score, and the two
            arrays.
        """
        names = list(results[0]["dev"])
        both = [*names, *(f"val_{name}" for name in names)]
        metric = choose_metric(self.owner, both, self.monitor)
        if self.mode == "auto" and not has_direction(metric):
            allowed = (
                f'"min" or "max", as the name {metric!r} does not tell which '
                "is better"
            )
            fail(self.owner, "mode", allowed, self.mode)
        score = is_score(metric) if self.mode == "auto" else self.mode == "max"
        train, dev = (
            np.array([result[part][metric] for result in results]).reshape(
                shape
            )
            for part in ("train", "dev")
        )
        return metric, score, train, dev


def rows_of_sizes(owner, sizes: Sequence[float], largest):
    """Numbers of rows, in growing order.

    Args:
        owner: The function to name in errors.
        sizes: Fractions of the largest size, or numbers of rows.
        largest: The largest size.

    Returns:
        A list of `int`.

    Raises:
        ValueError: If they are neither, or out of bounds.
    """
    allowed = (
        "a list of fractions from 0 (exclusive) to 1, or of whole numbers from "
        f"1 to {largest}, the rows of the smallest training part"
    )
    try:
        given = np.asarray(sizes)
    except ValueError:
        fail(owner, "sizes", allowed, sizes)
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iuf":
        fail(owner, "sizes", allowed, sizes)
    rows = given
    if given.dtype.kind == "f":
        if not ((given > 0) & (given <= 1)).all():
            fail(owner, "sizes", allowed, sizes)
        rows = np.maximum(np.round(given * largest), 1)
    if rows.min() < 1 or rows.max() > largest:
        fail(owner, "sizes", allowed, sizes)
    return [int(size) for size in np.unique(rows)]


def nested_order(rows, labels, groups, seed):
    """Rows in an order of which each beginning is a fair sample.

    Classes keep their proportions in each beginning; the rows of a group come
    one after another.

    Args:
        rows: Array of the numbers of the rows.
        labels: The class of every sample, or `None`.
        groups: The group of every sample, or `None`.
        seed: Seed of the order.

    Returns:
        The rows in another order.
    """
    random = np.random.default_rng(seed)
    rows = random.permutation(rows)
    if groups is not None:
        _, first, group = np.unique(
            groups[rows], return_index=True, return_inverse=True
        )
        return rows[np.argsort(first[group], kind="stable")]
    if labels is None:
        return rows
    place = np.zeros(len(rows))
    for label in np.unique(labels[rows]):
        (own,) = np.nonzero(labels[rows] == label)
        place[own] = (np.arange(len(own)) + random.uniform()) / len(own)
    return rows[np.argsort(place, kind="stable")]


def labels_of(request):
    """The class of each sample, or `None`, as the folds are stratified."""
    if request.stratify is False:
        return None
    return class_labels(request.data[1], request.stratify)


def epochs_for(epochs, rows, largest, batch_size):
    """The epochs in which fewer rows get as many steps as all of them."""
    steps = epochs * math.ceil(largest / batch_size)
    return max(1, round(steps / math.ceil(rows / batch_size)))
