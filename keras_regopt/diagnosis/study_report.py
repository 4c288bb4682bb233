"""The report of a whole study, from its result to its seeds."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_regopt._types import Path
from keras_regopt._validate import fail, instance_of
from keras_regopt._version import __version__
from keras_regopt.diagnosis import _study_figures
from keras_regopt.diagnosis._search_table import SearchTable
from keras_regopt.diagnosis.diagnosis import Diagnosis
from keras_regopt.diagnosis.report import (
    bullets,
    heading,
    next_steps,
    verdict_box,
    write_report,
)


def report(
    path: Path,
    title: str,
    summary: Any,
    *,
    data: Any = None,
    checks: Any = None,
    diagnoses: Any = None,
    curve: Any = None,
    search: Any = None,
    chosen: Mapping[str, Any] | None = None,
    seeds: Any = None,
    sections: Sequence[Any] = (),
) -> str:
    """Writes a study as one HTML page, the result first.

    The sections stand in the order in which a reader asks: summary, data,
    checks, training curves on one scale, verdict with the interval of each
    gap, more data, search, chosen values, own sections, versions and seeds. A
    section whose argument is left out is left out. The page is one file that
    opens offline, on a phone and on a screen, light and dark, and prints.

    The importance of a hyperparameter is the share of the variance of the
    ranks of the scores that the parameter explains alone: the squared rank
    correlation of a number, the share between the groups of a choice. Of few
    trials it says little.

    Args:
        path: Where to write; missing folders are made.
        title: Title of the page.
        summary: The result on the test data, in what `write_report` takes: a
            string, a table as a list of dicts, or a list of several of these.
        data: What `split` returned, or a dict of names and pairs `(x, y)`.
            Defaults to `None`.
        checks: What `check` returned. Defaults to `None`.
        diagnoses: A `Diagnosis`, or a dict of the names of models and
            diagnoses of one metric, such as `{"plain": ..., "tuned": ...}`, of
            which the last one's next steps are shown. Defaults to `None`.
        curve: What `tuning.learning_curve` returned. Defaults to `None`.
        search: A tuner with `cross_validation_results`, or a list of dicts
            that have `"hyperparameters"` and a `"mean"`, the best first.
            Defaults to `None`.
        chosen: Dict of names and values that were chosen. Defaults to `None`.
        seeds: The seed, or a dict of names and seeds. Defaults to `None`.
        sections: More sections, as for `write_report`.

    Returns:
        The path, as a string.

    Raises:
        ValueError: If an argument is none of these.
        ImportError: If a curve is to be drawn, and Matplotlib is not
            installed.

    Examples:
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> rows = [{"model": "plain", "test error": 0.031}]
        >>> path = report(f"{folder}/study.html", "Digits", rows, seeds=0)
        >>> os.listdir(folder)
        ['study.html']
    """
    contents = _contents(summary)
    page: list[Any] = [("Summary", *contents)]
    if data is not None:
        page.append(("Data", _parts(data)))
    if checks is not None:
        if not hasattr(checks, "findings"):
            fail(report, "checks", "what `check` returned", checks)
        page.append(("Checks", *_checks(checks)))
    if diagnoses is not None:
        named = _named(diagnoses)
        page.append(
            (
                "Training curves",
                _study_figures.TOLD[_study_figures.shows_losses(named)],
                _study_figures.one_scale(named),
            )
        )
        page.append(("Verdict", *_verdicts(named)))
    if curve is not None:
        if not hasattr(curve, "sizes"):
            fail(report, "curve", "what `learning_curve` returned", curve)
        page.append(("More data?", curve))
    if search is not None:
        page.append(("Search", *_search(search)))
    if chosen is not None:
        instance_of(report, "chosen", chosen, Mapping, "a dict")
        rows = [{"name": n, "value": str(v)} for n, v in chosen.items()]
        page.append(("Chosen values", rows or "Nothing was changed."))
    page += sections
    page.append(("Versions and seeds", _versions(seeds)))
    return write_report(path, title, page)


def _contents(summary):
    """The contents of the summary, as a tuple."""
    if not summary:
        allowed = "a string, a table, or a list of several of these"
        fail(report, "summary", allowed, summary)
    is_table = isinstance(summary, (list, tuple)) and all(
        isinstance(row, Mapping) for row in summary
    )
    several = isinstance(summary, (list, tuple)) and not is_table
    return tuple(summary) if several else (summary,)


def _parts(data):
    """A table of the parts of the data."""
    if hasattr(data, "_asdict"):
        data = data._asdict()
    if not isinstance(data, Mapping):
        allowed = "what `split` returned, or a dict of pairs (x, y)"
        fail(report, "data", allowed, data)
    return [
        {"part": name, "rows": _rows(part[0]), "targets": _targets(part[1])}
        for name, part in data.items()
    ]


def _rows(x):
    return len(keras.tree.flatten(x)[0])


def _targets(y):
    """The targets of a part, in words."""
    found = [np.asarray(array) for array in keras.tree.flatten(y)]
    if len(found) != 1 or found[0].dtype.kind not in "biu":
        return ""
    values, counts = np.unique(found[0], return_counts=True)
    if len(values) > 20 or found[0].ndim > 1:
        return ""
    least, most = counts.min(), counts.max()
    told = f"{least} to {most}" if least < most else f"{most}"
    return f"{len(values)} classes, {told} rows of each"


def _named(diagnoses):
    """Names and diagnoses."""
    if isinstance(diagnoses, Diagnosis):
        return {"": diagnoses}
    allowed = "a Diagnosis, or a dict of names and of these"
    if not isinstance(diagnoses, Mapping) or not diagnoses:
        fail(report, "diagnoses", allowed, diagnoses)
    for each in diagnoses.values():
        instance_of(report, "diagnoses", each, Diagnosis, allowed)
    metrics = sorted({d.metric for d in diagnoses.values()})
    if len(metrics) > 1:
        fail(report, "diagnoses", "of one metric", metrics)
    return {str(name): each for name, each in diagnoses.items()}


def _checks(checks):
    """What was found, and which checks passed."""
    run = len(checks.passed) + len({f.check for f in checks.findings})
    found = len(checks.findings)
    yield (
        f"{run} checks were run, with {found} "
        f"finding{'s' * (found != 1)}{':' if found else '.'}"
    )
    if found:
        yield bullets(
            f"{f.severity.capitalize()} of `{f.check}`: {f.evidence} {f.remedy}"
            for f in checks.findings
        )
    if checks.passed:
        yield f"Passed: {', '.join(checks.passed)}."
    if checks.skipped:
        yield f"Not run: {', '.join(checks.skipped)}."


def _verdicts(named):
    """For each model the verdict, the gaps and why; steps for the last."""
    for name, d in named.items():
        if name:
            yield heading(f"{name[0].upper()}{name[1:]}")
        yield verdict_box(d)
        if d.gaps:
            yield [
                {
                    "gap": gap.name,
                    "value": gap.value,
                    "interval": f"{gap.low:.4g} to {gap.high:.4g}",
                    "limit": gap.limit,
                    "answer": gap.answer,
                }
                for gap in d.gaps
            ]
        yield bullets([*d.reasons, *d.notes])
    yield next_steps(d)


def _search(search):
    """The trials, and what they tell of each hyperparameter."""
    trials = SearchTable.of(report, search)
    yield (
        f"{len(trials.scores)} trials; the score is the mean of "
        f"{trials.objective}, and "
        f"{'higher' if trials.higher_is_better else 'lower'} is better."
    )
    if importances := trials.importances():
        yield [
            {"hyperparameter": name, "importance": value}
            for name, value in importances.items()
        ]
    if len(trials.scores) > 1 and trials.columns:
        yield _study_figures.parallel_coordinates(trials)
    yield trials.rows(10)


def _versions(seeds):
    """A table of what the results depend on."""
    backend = keras.backend.backend()
    named = seeds if isinstance(seeds, Mapping) else {"seed": seeds}
    rows = {
        "keras_regopt": __version__,
        "Keras": keras.__version__,
        "backend": f"{backend} {_version_of(backend)}".strip(),
        "NumPy": np.__version__,
        "Python": platform.python_version(),
        **{str(name): value for name, value in named.items()},
    }
    return [
        {"name": name, "value": str(value)}
        for name, value in rows.items()
        if value is not None
    ]


def _version_of(backend):
    """The version of the package of a backend."""
    import importlib.metadata

    try:
        return importlib.metadata.version(backend)
    except importlib.metadata.PackageNotFoundError:
        return ""
