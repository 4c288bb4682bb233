"""The scores of folds and of trials."""

import math
import numbers
import statistics

import keras
from keras_tuner.errors import FatalTypeError, FatalValueError

DIRECTIONS = ("min", "max")


def fold_record(result, objective):
    """The metrics of a fold at its best epoch.

    Args:
        result: What `HyperModel.fit` returned: a `History`, a dict of
            metrics, or a number, which is the objective.
        objective: The oracle's `keras_tuner.Objective`.

    Returns:
        A dict of `"metrics"`, with floats, and `"best_epoch"`, counted from
        1, or `None` where the fit returned no history.

    Raises:
        FatalError: If the result is of another type or lacks the objective;
            it ends the search.
    """
    best_epoch = None
    if isinstance(result, keras.callbacks.History):
        rows = _rows(result.history, objective)
        _require_objective(rows[0] if rows else {}, objective)
        best = 0
        for i, row in enumerate(rows):
            score = row[objective.name]
            # A NaN is the worst value.
            if objective.better_than(score, rows[best][objective.name]) or (
                math.isnan(rows[best][objective.name]) and not math.isnan(score)
            ):
                best = i
        metrics = rows[best]
        best_epoch = int(result.epoch[best]) + 1
    elif isinstance(result, dict):
        metrics = _with_objective(result, objective)
        _require_objective(metrics, objective)
    elif isinstance(result, numbers.Real) and not isinstance(result, bool):
        metrics = {objective.name: result}
    else:
        raise FatalTypeError(
            "HyperModel.fit() must return a History, a dict of metrics or a "
            f"number, for every fold. Received: {result!r}"
        )
    metrics = {name: float(value) for name, value in metrics.items()}
    return {"metrics": metrics, "best_epoch": best_epoch}


def summary(records, name):
    """Mean and standard deviation of the scores of the folds.

    Args:
        records: What `fold_record` returned, one a fold.
        name: The objective's name.

    Returns:
        A dict; see `CrossValidationTuner.cross_validation_results`.
    """
    trained = [record for record in records if "imputed" not in record]
    scores = [record["metrics"][name] for record in trained]
    # Of a single split nothing is known about the deviation.
    std = statistics.stdev(scores) if len(scores) > 1 else None
    # There, where trials share compiled models.
    compiled = [r["compiled"] for r in trained if "compiled" in r]
    return {
        "mean": statistics.fmean(r["metrics"][name] for r in records),
        "std": std,
        "standard_error": None if std is None else std / len(scores) ** 0.5,
        "scores": scores,
        "best_epochs": [record["best_epoch"] for record in trained],
        "epochs": middle_epoch(records),
        **({"compiled": sum(compiled)} if compiled else {}),
    }


def middle_epoch(records):
    """The median of the folds' best epochs, the higher of two, or `None`."""
    epochs = [r["best_epoch"] for r in records if "imputed" not in r]
    return None if None in epochs else statistics.median_high(epochs)


def objectives_of(objective):
    """The single objectives in an objective."""
    return getattr(objective, "objectives", [objective])


def _rows(history, objective):
    """One dict of metrics for every epoch that has all of them."""
    return [
        _with_objective(dict(zip(history, values, strict=True)), objective)
        for values in zip(*history.values(), strict=False)
    ]


def _with_objective(metrics, objective):
    """Adds the value of an objective that combines several."""
    if objective.name not in metrics and objective.has_value(metrics):
        value = objective.get_value(metrics)
        return {**metrics, objective.name: value}
    return metrics


def _require_objective(metrics, objective):
    if objective.name not in metrics:
        wanted = ", ".join(o.name for o in objectives_of(objective))
        raise FatalValueError(
            f"The oracle's objective must be a metric that the fit reports. "
            f"Received: objective={wanted!r}, but the fit reported: "
            f"{', '.join(metrics) or 'nothing'}. Name one of those as the "
            "objective, or compile the model with the metric."
        )
