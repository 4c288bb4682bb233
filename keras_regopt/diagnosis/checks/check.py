"""All checks in one call."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_regopt._names import did_you_mean
from keras_regopt._validate import fail, integer, positive_int
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._preserved import preserved
from keras_regopt.diagnosis.checks.base import SEVERITIES, Check, Skip
from keras_regopt.diagnosis.checks.case import CheckCase
from keras_regopt.diagnosis.checks.data import Data
from keras_regopt.diagnosis.checks.gradients import BatchSize, Gradients
from keras_regopt.diagnosis.checks.initial_loss import InitialLoss
from keras_regopt.diagnosis.checks.labels import LabelNoise, Signal
from keras_regopt.diagnosis.checks.learning_rate import LearningRate
from keras_regopt.diagnosis.checks.one_batch import Frozen, OneBatch
from keras_regopt.diagnosis.checks.parts import Leakage, Mismatch
from keras_regopt.diagnosis.checks.predictions import Calibration, Slices
from keras_regopt.diagnosis.checks.result import CheckResult
from keras_regopt.diagnosis.checks.units import Units, UnusedInputs
from keras_regopt.diagnosis.gradient_check import require_compiled

# In the order of their value: the first to look at stands first.
CHECKS = (
    Data,
    InitialLoss,
    OneBatch,
    Frozen,
    UnusedInputs,
    Signal,
    Leakage,
    Mismatch,
    LearningRate,
    Gradients,
    Units,
    LabelNoise,
    Slices,
    Calibration,
    BatchSize,
)


def check(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    dev: Any = None,
    groups: Any = None,
    checks: str | Sequence[Any] = "all",
    batch_size: int = 32,
    seed: int = 0,
) -> CheckResult:
    """Looks for what practitioners look for first when a training fails.

    Run it before `fit`, and again after. Each check finds one kind of fault,
    with the evidence and a remedy:

    - `data`: NaN, constant and unscaled inputs, targets that do not fit;
    - `initial_loss`: softmax twice, logits as probabilities, bad scales;
    - `one_batch`: a model that cannot learn a batch by heart;
    - `frozen`: frozen layers that were never trained;
    - `unused_inputs`: inputs that change nothing;
    - `signal`: targets that do not depend on the inputs (shuffled);
    - `leakage`: dev rows in the training data, columns that tell the label;
    - `mismatch`: dev rows unlike training rows;
    - `learning_rate`: a rate far too high or far too low;
    - `gradients`: gradients that vanish, explode or never arrive;
    - `units`: dead and saturated units;
    - `label_noise`: labels that are probably wrong;
    - `slices`: classes, groups and ranges with a larger error;
    - `calibration`: probabilities that are no frequencies;
    - `batch_size`: batches that are mostly noise, or mostly alike.

    The model, its optimizer, its metrics and all random generators are bit for
    bit the same afterwards, though some checks train a few steps. They look
    at no more than 2,000 rows.

    Args:
        model: A compiled, built model.
        x: The training inputs, as in `fit`, in arrays.
        y: The training targets. Defaults to `None`.
        dev: A pair of dev inputs and targets, such as a part of `split`.
            Defaults to `None`; checks that need them are then not run.
        groups: The group of each dev row, for `slices`. Defaults to `None`.
        checks: `"all"`, or a list of names and of `Check` objects of your
            own. Defaults to `"all"`.
        batch_size: Batch size of the training, at least 1. Defaults to `32`.
        seed: Seed of the rows that are looked at. Defaults to `0`.

    Returns:
        A `CheckResult`; print it. `result.ok` says whether there is no error
        and no warning.

    Raises:
        ValueError: If the model is not compiled or not built, a check is
            unknown, or the data do not fit together.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> y = (x[:, 0] > 0) + (x[:, 1] > 0)
        >>> result = check(model, x, y, checks=["initial_loss"])
        >>> result.findings[0].severity, result.ok
        ('error', False)

    References:
        Karpathy 2019, A recipe for training neural networks; Godbole, Dahl,
        Gilmer, Shallue and Nado 2023, Deep learning tuning playbook.
    """
    require_compiled(check, model)
    chosen = choose_checks(check, checks)
    positive_int(check, "batch_size", batch_size)
    integer(check, "seed", seed, low=0, high=2**32 - 1)
    _nested.count(check, {"x": x, "y": y})
    if dev is not None:
        _check_dev(dev, groups)
    elif groups is not None:
        fail(check, "groups", "None without `dev`", f"{len(groups)} groups")
    found, passed, skipped, seconds = [], [], {}, {}
    case = CheckCase(model, x, y, dev, groups, batch_size, seed)
    for each in chosen:
        start = time.perf_counter()
        try:
            with preserved(model):
                results = list(each.run(case))
        except Skip as reason:
            skipped[each.name] = str(reason)
        else:
            found += results
            if not results:
                passed.append(each.name)
        seconds[each.name] = time.perf_counter() - start
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckResult(tuple(found), tuple(passed), skipped, seconds)


def choose_checks(owner, checks):
    """The checks that an argument `checks` stands for.

    Args:
        owner: The object that asks, for errors.
        checks: `"all"`, or a list of names and checks.

    Returns:
        A list of `Check` objects.

    Raises:
        ValueError: If there is no such check.
    """
    known = {cls.name: cls for cls in CHECKS}
    if checks == "all":
        return [cls() for cls in CHECKS]
    names = ", ".join(map(repr, known))
    allowed = f"'all', or a list of checks and of these names: {names}"
    if isinstance(checks, (str, Check)) or not isinstance(
        checks, (list, tuple, set, frozenset)
    ):
        fail(owner, "checks", allowed, checks)
    chosen: list[Check] = []
    for each in checks:
        if isinstance(each, type) and issubclass(each, Check):
            each = each()
        if isinstance(each, str) and each in known:
            chosen.append(known[each]())
        elif isinstance(each, Check) and each.name:
            chosen.append(each)
        else:
            hint = did_you_mean(str(each), list(known), "'")
            fail(owner, "checks", allowed, each, hint)
    return chosen


def _check_dev(dev, groups):
    if not isinstance(dev, (list, tuple)) or len(dev) != 2:
        fail(check, "dev", "a pair (x_dev, y_dev)", type(dev).__name__)
    rows = _nested.count(check, {"x": dev[0], "dev": dev[1]})
    if groups is not None and np.shape(groups) != (rows,):
        allowed = f"an array of {rows} values, one for each dev row"
        fail(check, "groups", allowed, f"array of shape {np.shape(groups)}")
