"""The verdict on a training, from its history and its errors."""

from collections.abc import Sequence
from typing import Any

from keras_regopt._validate import fail
from keras_regopt.diagnosis._outputs import judge
from keras_regopt.diagnosis._parts import read
from keras_regopt.diagnosis._rules import Rules
from keras_regopt.diagnosis.diagnosis import Diagnosis


def diagnose(
    history: Any = None,
    *,
    monitor: str = "auto",
    mode: str = "auto",
    reference: float | None = None,
    baseline: float | None = None,
    bias_tolerance: float | None = None,
    variance_tolerance: float | None = None,
    rise_tolerance: float = 0.2,
    at: str = "auto",
    train_error: float | None = None,
    train_dev: Any = None,
    test: Any = None,
    model: Any = None,
    train: Any = None,
    dev: Any = None,
    y: Any = None,
    groups: Any = None,
    dev_rows: int | None = None,
    callbacks: Sequence[Any] | None = None,
) -> Diagnosis:
    """Tells bias from variance in a training, and what to try next.

    The errors on up to four parts of the data and the reference error, the
    lowest that can be reached (that of an expert, or the Bayes error), have
    gaps that ask for different remedies:

    - avoidable bias = training error - reference error;
    - variance = train-dev error - training error, where train-dev data are
      held out from the source of the training data; without any, dev error -
      training error;
    - data mismatch = dev error - train-dev error;
    - overfitting to the dev set = test error - dev error.

    Each gap is high, not high, or "cannot tell": a gap is high if its lower
    bound exceeds the limit, not high if its upper bound does not. Bounds are
    one-sided at 95 %, by the rows (exact ones for fractions of wrong answers,
    else the bootstrap, over whole `groups` where given) and by the noise from
    epoch to epoch. So a gap that is not high is called high in at most one of
    20 draws of the rows. The rows are those of `dev`, or `dev_rows`, or else
    the fewest of which the accuracies of the history can be fractions.

    The verdict names the gaps that are high, in the order above, such as
    `"high bias and high variance"`. It is `"fits"` if none is high, and
    `"undecided"`, with the `cause`, if none is high and one cannot be told, or
    if:

    1. the last epoch is not finite, there are no dev errors, fewer than three
       epochs with one, or an error is below zero without a `reference`;
    2. the scale of an error that is no score is not known (`"no scale"`): it
       comes from `baseline`, the targets, the number of classes, or from a
       first epoch that looks like that of an untrained model. What label
       smoothing and penalties leave of a loss is its reference;
    3. what is left of such an error, up to three times the limit, may be noise
       in the targets (`"noise"`), unless a `reference` is given;
    4. dropout or augmentation hide the training error (`"unclean"`).

    The variance is high, too, if the model overfits: the dev loss has risen
    from its lowest value by more than `rise_tolerance` of it, beyond four
    times the noise of the curve and 1 % of the loss of an untrained model,
    while the training loss fell.

    An accuracy that is no better than always answering the largest class is
    not judged, nor any where that class is above 90 %, as far as the targets
    are known: balanced accuracy, or another metric of the history such as AUC,
    takes its place.

    Errors of the history are those of the last epochs: one tenth of the
    epochs, from one to five, are averaged. The error of a score (accuracy,
    AUC, F1, R2, ...) is one minus the score, that of a PSNR the mean squared
    error it stands for; any other metric is an error itself. With `model`,
    `train` and `dev`, the errors of the model as it is are measured, without
    dropout, augmentation and penalties, on up to 2,000 training rows.

    Args:
        history: What `fit` returned, or its `history` dict. Defaults to
            `None`, which needs `model`, `train` and `dev`.
        monitor: Metric to judge by. Defaults to `"auto"`: the first
            accuracy, else the first other score, else the first mean error
            (free of the penalties that a loss contains), else the loss. A mean
            absolute error without `reference` and `baseline` gives way to a
            loss that is the mean squared error. Of a model of several outputs
            it judges each, the worst first.
        mode: `"max"` if higher is better, `"min"` if lower is, or `"auto"`,
            the default, to tell by the metric's name, or by the direction in
            which five epochs or more have moved it while the loss fell.
        reference: The lowest error that can be reached, in the metric's
            unit; for an accuracy of 99 % it is `0.01`. Defaults to `None`,
            which takes zero, or what label smoothing and penalties leave.
        baseline: Error of a model that knows nothing, such as the variance
            of the targets for a mean squared error. It gives errors without
            an upper bound a scale; a score needs none and ignores it.
            Defaults to `None`, which takes that of the targets if known.
        bias_tolerance: Avoidable bias that is not yet high, at least 0: of a
            score in its own unit, of another metric as a fraction of the
            difference between baseline and reference. Defaults to `None`:
            `0.02` for a score, two answers in a hundred, which a dev set of a
            few hundred to a few thousand samples can resolve; `0.1` otherwise.
        variance_tolerance: Variance, mismatch or overfitting to the dev set
            that is not yet high, likewise.
        rise_tolerance: Rise of the dev loss that counts as overfitting, as a
            fraction of its lowest value, at least 0. Defaults to `0.2`, in
            Prechelt's terms a generalization loss of 20 %: smaller rises are
            common before a still lower minimum.
        at: `"last"` to judge the end of the training, `"best"` to judge the
            epoch of the lowest dev error, or `"auto"`, the default: the epoch
            whose weights one of the `callbacks` has restored, else the last.
        train_error: The training error of the judged weights, measured by
            `model.evaluate` on the training data, in the metric's unit
            (an accuracy of 99 % is `0.01`). Unlike the history's, it is free
            of dropout and augmentation. Defaults to `None`, which takes the
            history's.
        train_dev: The error, in the metric's unit, on data held out from the
            source of the training data, where the dev data are from another:
            a number, an array with one for each epoch, or a pair `(x, y)` to
            evaluate `model` on. `split(train_dev=0.05)` makes such data.
            Defaults to `None`: variance and mismatch cannot be told apart.
        test: The error on test data, a number or a pair `(x, y)`, to tell how
            much the choices fit the dev set alone. Defaults to `None`.
        model: The model. Defaults to `None`, which takes the one that the
            history holds, if any.
        train: The training data, a pair `(x, y)`. Defaults to `None`.
        dev: The dev data, a pair `(x, y)`. Defaults to `None`.
        y: The training targets, for majority rates and baselines; needed
            only without `train`. Defaults to `None`.
        groups: The group of each dev row, where rows belong together (a
            patient's visits). Defaults to `None`: each is a row by itself.
        dev_rows: The number of dev rows, where `dev` is not given. Defaults
            to `None`.
        callbacks: The callbacks of the training, to see which epoch was
            restored and what was tried already. Defaults to `None`.

    Returns:
        A `Diagnosis` with verdict, answers, values, reasons and steps. Steps
        that the model, its optimizer or the callbacks show to be taken already
        stand apart.

    Raises:
        ValueError: If `history` is no history, the metric is not in it, its
            direction cannot be told and `mode` is not given, or data are given
            without a model.

    Examples:
        >>> result = diagnose({
        ...     "accuracy": [0.70, 0.90, 0.98, 1.00],
        ...     "val_accuracy": [0.68, 0.80, 0.84, 0.83],
        ... })
        >>> result.verdict
        'high variance'
        >>> round(result.variance, 2), round(result.avoidable_bias, 2)
        (0.17, 0.0)
        >>> few = {"accuracy": [0.9, 0.95, 0.98], "val_accuracy": [0.9] * 3}
        >>> result = diagnose(few, reference=0.02, dev_rows=20)
        >>> result.verdict, result.cause, result.answers["variance"]
        ('undecided', 'few rows', 'cannot tell')

    References:
        Ng 2018, Machine learning yearning, chapters 20 to 27 and 40 to 43.
        Prechelt 1998, Early stopping - but when?
        Clopper and Pearson 1934, The use of confidence or fiducial limits.
        Newcombe 1998, Interval estimation for the difference between
        independent proportions.
    """
    rules = Rules(
        monitor=monitor,
        mode=mode,
        reference=reference,
        baseline=baseline,
        bias_tolerance=bias_tolerance,
        variance_tolerance=variance_tolerance,
        rise_tolerance=rise_tolerance,
        at=at,
    )
    rules.check(diagnose)
    if history is None and (train is None or dev is None):
        allowed = "what `fit` returned, or its `history` dict of lists"
        remedy = "Or pass `model`, `train` and `dev`."
        fail(diagnose, "history", allowed, history, remedy)
    given = read(
        diagnose,
        getattr(history, "model", None) if model is None else model,
        callbacks,
        {"train": train, "dev": dev},
        {"train_error": train_error, "train_dev": train_dev, "test": test},
        y,
        groups,
        dev_rows,
        _ended_early(history),
    )
    result = judge(diagnose, rules, history, given)
    if result.cause == "no mode":
        allowed = (
            f'"min" or "max", as the name {result.metric!r} does not tell '
            "which is better"
        )
        fail(diagnose, "mode", allowed, mode)
    return result


def _ended_early(history):
    """Whether a fit ended before the epochs that it was asked for."""
    wanted = (getattr(history, "params", None) or {}).get("epochs")
    epochs = getattr(history, "epoch", None)
    return bool(wanted and epochs and epochs[-1] + 1 < wanted)
