"""The next steps for each verdict, the most promising first."""

from typing import NamedTuple


class Step(NamedTuple):
    """One thing to try.

    Attributes:
        action: What to do, as a sentence.
        uses: The full names of the classes that do it.
    """

    action: str
    uses: tuple[str, ...] = ()


def _step(action, *uses):
    return Step(action, tuple(f"keras_regopt.{name}" for name in uses))


_STOP = _step(
    "Stop where the dev error was lowest, and keep those weights.",
    "callbacks.EarlyStopping",
)
_AUGMENT = _step(
    "Get more training data; for images, make more by augmentation, "
    "with `value_range=(0, 1)` where pixels are floats from 0 to 1.",
    "augmentation.RandomAffine",
    "augmentation.RandomGaussianNoise",
)
_DROP = _step(
    "Drop units of the network in training: whole branches of a residual "
    "net, regions of feature maps, or single ones with keras.layers.Dropout.",
    "layers.StochasticDepth",
    "layers.DropBlock2D",
)
_DECAY = _step(
    "Decay the weights, decoupled from the gradient: set `weight_decay`; "
    "under a wrapper such as Lookahead, on the inner optimizer.",
    "optimizers.AdamW",
    "optimizers.RAdam",
)
_PENALIZE = _step(
    "Penalize weights, singly or in groups; this also prunes the network.",
    "regularizers.ElasticNet",
    "regularizers.GroupLasso",
)
_TUNE_STRENGTH = _step(
    "Tune the strengths of these by cross-validation, and try a smaller "
    "network.",
    "tuning.CrossValidationTuner",
)
_LONGER = _step(
    "Train longer: the training error is still falling.",
    "schedules.OneCycle",
)
_LARGER = _step("Take a larger network: more units, layers or filters.")
_OPTIMIZE = _step(
    "Optimize better: warm up to a higher learning rate, anneal it to the "
    "end, or cut it when the error stops falling.",
    "schedules.Warmup",
    "schedules.OneCycle",
    "optimizers.RAdam",
    "callbacks.ReduceLROnPlateau",
)
_LESS = _step(
    "Regularize less: lower the rates of penalties, dropout, weight decay "
    "and augmentation.",
    "regularizers.ElasticNet",
    "layers.StochasticDepth",
    "augmentation.RandomAffine",
)
_INPUTS = _step(
    "Look at wrongly predicted training samples: are the labels right, the "
    "inputs scaled, and is what decides the answer among them?"
)
_TUNE_SIZE = _step(
    "Tune size and learning rate by cross-validation.",
    "tuning.CrossValidationTuner",
)
_BOTH = _step(
    "Lower the training error first; a network that fits can then be "
    "regularized."
)
_CALM = _step(
    "Calm the dev curve: cut the learning rate on a plateau, or average the "
    "weights.",
    "callbacks.ReduceLROnPlateau",
    "optimizers.Lookahead",
)
_TEST = _step(
    "Decide on the dev data that this is the model, and evaluate it once on "
    "the test data."
)
_REFINE = _step(
    "If the error must go lower, give a `reference` error to aim at, and tune.",
    "tuning.CrossValidationTuner",
)
_DIVERGED = (
    _step(
        "Lower the learning rate, or warm up to it.",
        "schedules.Warmup",
        "optimizers.RAdam",
    ),
    _step("Clip gradients: set `global_clipnorm` on the optimizer."),
    _step("Look for missing or huge values in inputs and targets."),
)
_NO_DEV = (
    _step("Pass `validation_data` to `fit`; keras_regopt.diagnosis.split "
          "makes it."),
)  # fmt: skip
_ONE_CLASS = (
    _step("Weigh the rare class: pass `class_weight` to `fit`, or sample it "
          "more often."),
    _step("Judge by a metric other than accuracy: balanced accuracy, AUC or "
          "the area under precision and recall."),
)  # fmt: skip
_MISMATCH = (
    _step("Look at what sets dev data apart from training data, and collect "
          "or synthesize training data like them."),
    _step("Move some data from the dev data's source into training."),
)  # fmt: skip
_NO_MODE = (
    _step('Pass mode="max" if higher is better, mode="min" if lower is.'),
)
_SHORT = (_step("Train for more epochs, then diagnose again."),)
_NO_REFERENCE = (
    _step("Give the lowest error that can be reached as `reference`."),
)


def next_steps(verdict, *, cause="", falling=False, rising=False, noisy=False):
    """The things to try next.

    Args:
        verdict: The verdict of a diagnosis.
        cause: Why the verdict is `"undecided"`: `"diverged"`, `"no dev"`,
            `"short"`, `"one class"`, `"no mode"` or `"no reference"`.
        falling: Whether the error is still falling.
        rising: Whether the dev error has risen since its best epoch.
        noisy: Whether the dev curve is noisier than its gap to the training
            curve.

    Returns:
        A tuple of `Step`, the most promising first.
    """
    longer = [_LONGER] if falling else []
    bias = [*longer, _LARGER, _OPTIMIZE, _LESS, _INPUTS]
    variance = [_AUGMENT, _DECAY, _DROP, _PENALIZE, _TUNE_STRENGTH]
    if rising:
        variance.insert(0, _STOP)
    calm = [_CALM] if noisy else []
    mismatch = verdict.endswith("data mismatch")
    verdict = verdict.removesuffix("data mismatch").removesuffix(" and ")
    if mismatch and not verdict:
        return (*_MISMATCH, *calm)
    steps = {
        "high bias": [*bias, _TUNE_SIZE, *calm],
        "high variance": [*variance, *calm],
        # Less regularization would raise the variance further.
        "high bias and high variance": [
            *(_BOTH, *longer, _LARGER, _OPTIMIZE, _INPUTS),
            *variance,
            *calm,
        ],
        "fits": [*longer, *calm, _TEST, _REFINE],
        "undecided": {
            "diverged": _DIVERGED,
            "no dev": _NO_DEV,
            "short": _SHORT,
            "one class": _ONE_CLASS,
            "no mode": _NO_MODE,
            "no reference": _NO_REFERENCE,
        }.get(cause, ()),
    }
    return (*steps[verdict], *(_MISMATCH if mismatch else ()))
