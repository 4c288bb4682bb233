"""The errors of each part, with what chance and dropout leave open."""

from dataclasses import replace

from keras_regopt.diagnosis import _sampling
from keras_regopt.diagnosis._curves import CLEAN, to_errors
from keras_regopt.diagnosis._metric_names import is_accuracy
from keras_regopt.diagnosis._parts import by_epoch


def measured_errors(rows, choice, measured, curves, rules):
    """The `Estimate` of each part that was measured on the model."""
    if rules.at == "best":
        return {}
    found = {p: r.estimate(choice.balanced) for p, r in rows.items()}
    for part in ("train", "dev", "train_dev", "test"):
        value = None
        if part not in found:
            value = measured.evaluated(part, curves)
        if value is not None:
            found[part] = value
    train = found.get("train")
    whole = (
        train is not None
        and train.rows is not None
        and train.rows == measured.given.rows("train")
    )
    if whole and train is not None:
        # All rows that were learnt from: there is nothing left to chance.
        found["train"] = _sampling.exact(train.value)
    return found


def add_train(estimates, lists, curves, measures, given, scale):
    """Adds the training error; says why it may be too high."""
    if "train_error" in given.errors:
        estimates["train"] = _sampling.exact(given.errors["train_error"])
        return ""
    clean = [v for v in lists.get(CLEAN + curves.metric, []) if v is not None]
    if clean:
        value = float(to_errors(clean[-1], curves.form))
        estimates["train"] = _sampling.exact(value)
        return ""
    value = measures.train_error
    if value is None:
        return ""
    dev = measures.dev_error
    lower = value if dev is None else min(value, dev)
    if given.facts.noisy and not _near(scale, lower):
        low = min(scale.reference, lower)
        estimates["train"] = _sampling.Estimate(lower, low, lower)
        return "noisy"
    estimates["train"] = _sampling.exact(lower)
    return "above dev" if lower < value else ""


def _near(scale, error):
    constant = scale.constant
    return constant is not None and error > 0.8 * constant


def add_dev(estimates, curves, measures, given):
    """Adds the dev error of the history, bounded by its rows if known."""
    if "dev" in estimates or measures.dev_error is None:
        return
    value = measures.dev_error
    estimates["dev"] = _sampling.exact(value)
    if not is_accuracy(curves.metric) or not 0 <= value <= 1:
        return
    rows = given.rows("dev")
    if rows is not None:
        estimates["dev"] = _sampling.proportion(value, rows)
        return
    rows = _sampling.rows_by_steps(curves.dev)
    if rows is not None:
        # They may be more than that, which helps but one side.
        found = _sampling.proportion(value, rows)
        estimates["dev"] = replace(found, high=value, rows=None)


def add_held_out(estimates, measures, given, count, at):
    """Adds the errors of train-dev and test data that were given."""
    for part in ("train_dev", "test"):
        if part not in estimates and part in given.errors:
            judged = measures.best_epoch if at == "best" else at
            estimates[part] = by_epoch(given.errors[part], count, judged)
