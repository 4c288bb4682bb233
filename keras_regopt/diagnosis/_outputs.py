"""A diagnosis of each output of a model, the worst first."""

from dataclasses import replace

import numpy as np

from keras_regopt.diagnosis._curves import CLEAN, read_history
from keras_regopt.diagnosis._judge import judge_output
from keras_regopt.diagnosis._parts import Measured


def judge(owner, rules, history, given):
    """A diagnosis that is undecided where the metric's direction is unknown.

    Args:
        owner: The function to name in errors.
        rules: The `Rules` to judge by, already checked.
        history: What `fit` returned, its `history` dict, or `None`.
        given: The `Given`.

    Returns:
        A `Diagnosis`, of the worst output of a model of several; its `cause`
        is `"no mode"` where the metric's direction is unknown.

    Raises:
        ValueError: If the history has no such metric.
    """
    lists, epochs = {}, np.array([1])
    if history is not None:
        lists, epochs = read_history(owner, history)
    if given.early and rules.at == "auto" and not given.data:
        return _of_unknown_epoch(owner, rules, history, given)
    measured = Measured(given)
    names = given.facts.outputs or _named_in(lists)
    if len(names) < 2 or rules.monitor != "auto":
        name = _output_of(rules.monitor, names)
        index = names.index(name) if name in names else 0
        args = rules, lists, epochs, given, measured, name, index
        return judge_output(owner, *args)
    found = []
    for index, name in enumerate(names):
        own = _own(lists, name)
        if lists and not own:
            continue
        args = rules, own, epochs, given, measured, name, index
        found.append(judge_output(owner, *args))
    if not found:
        args = rules, lists, epochs, given, measured, names[0], 0
        return judge_output(owner, *args)
    found.sort(key=_severity, reverse=True)
    worst = found[0]
    return replace(worst, outputs=tuple(found)) if len(found) > 1 else worst


def _of_unknown_epoch(owner, rules, history, given):
    """The verdict that holds for the last epoch and for the best."""
    told = replace(given, early=False)
    last = judge(owner, replace(rules, at="last"), history, told)
    best = judge(owner, replace(rules, at="best"), history, told)
    last, best = (replace(d, rules=rules) for d in (last, best))
    if last.verdict == best.verdict:
        return last
    from keras_regopt.diagnosis._steps import next_steps

    cause = "which epoch"
    steps = next_steps("undecided", cause=cause)
    told = (f"At the last epoch, the verdict would be {last.verdict!r}; "
            f"at the best, {best.verdict!r}.",)  # fmt: skip
    return replace(
        last,
        verdict="undecided",
        cause=cause,
        steps=steps,
        taken=(),
        remarks=(*last.remarks, *told),
    )


def _named_in(lists):
    """The outputs that losses of a history name, if several."""
    names = [
        name.removesuffix("_loss")
        for name in lists
        if name.endswith("_loss") and not name.startswith(("val_", CLEAN))
    ]
    return tuple(names) if len(names) > 1 else ()


def _own(lists, name):
    """The curves of one output."""
    starts = (f"{name}_", f"val_{name}_", f"{CLEAN}{name}_")
    return {n: curve for n, curve in lists.items() if n.startswith(starts)}


def _output_of(monitor, names):
    """The output that a metric's name belongs to."""
    bare = monitor.removeprefix("val_")
    own = [name for name in names if bare.startswith(f"{name}_")]
    return max(own, key=len) if own else (names[0] if names else "")


def _severity(diagnosis):
    """Sorts by verdict, then by how far the gaps are beyond their limits."""
    d = diagnosis
    order = {"fits": 0, "undecided": 1}
    rank = order.get(d.verdict, 2) + 2 * (d.cause == "diverged")
    excess = [gap.value / gap.limit for gap in d.gaps if gap.limit > 0]
    return rank, max(excess, default=0.0)
