"""What to try, in words, with the classes that do it."""

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


# Why a verdict is not possible, with what helps.
UNDECIDED = {
    "diverged": (
        _step(
            "Lower the learning rate, or warm up to it.",
            "schedules.Warmup",
            "callbacks.find_learning_rate",
        ),
        _step(
            "Clip gradients: set `global_clipnorm` on the optimizer, or clip "
            "each unit by its weights.",
            "optimizers.AdaptiveGradientClipping",
        ),
        _step("Look for missing or huge values in inputs and targets."),
    ),
    "no dev": (
        _step(
            "Pass `validation_data` to `fit`; keras_regopt.diagnosis.split "
            "makes it."
        ),
    ),
    "short": (_step("Train for more epochs, then diagnose again."),),
    "one class": (
        _step(
            "Weigh the rare class: pass `class_weight` to `fit`, or sample it "
            "more often."
        ),
        _step(
            "Judge by a metric other than accuracy: balanced accuracy, AUC or "
            "the area under precision and recall."
        ),
    ),
    "no mode": (
        _step('Pass mode="max" if higher is better, mode="min" if lower is.'),
    ),
    "no reference": (
        _step("Give the lowest error that can be reached as `reference`."),
    ),
    "no scale": (
        _step(
            "Give the error a scale: pass the training targets as `y`, or the "
            "error of a model that knows nothing as `baseline`."
        ),
        _step(
            "Pass the lowest error that can be reached as `reference`, or "
            "judge by a metric with a scale, such as an accuracy."
        ),
    ),
    "noise": (
        _step(
            "Find out how much of the error is noise in the targets, and pass "
            "it as `reference`; a learning curve shows whether more data "
            "lower the error.",
            "tuning.learning_curve",
        ),
        _step("Try a larger network once: noise does not give way to it."),
    ),
    "unclean": (
        _step(
            "Measure the errors without dropout and augmentation: "
            "diagnose(history, model=model, train=(x, y), dev=(x_dev, y_dev)), "
            "or FitMonitor(train_data=(x, y))."
        ),
    ),
    "few rows": (
        _step(
            "Evaluate on more dev rows, or by cross-validation, where every "
            "row serves as a dev row once.",
            "tuning.CrossValidationTuner",
        ),
        _step("Or pass the tolerance that matters as `variance_tolerance`."),
    ),
    "borderline": (
        _step(
            "Repeat the training with another seed, or average the weights; "
            "the gap is within its noise of the limit.",
            "callbacks.EMA",
        ),
        _step("Or pass the tolerance that matters as `variance_tolerance`."),
    ),
    "which epoch": (
        _step(
            "Pass the callbacks of the training as `callbacks`, or say by "
            '`at="best"` that the best weights were restored and by '
            '`at="last"` that they were not.'
        ),
    ),
}
CHECK = _step(
    "Run `check(model, x, y)` first: the training error is near that of a "
    "constant answer, which labels, loss, inputs or learning rate may cause "
    "rather than the network's size.",
    "diagnosis.check",
)
LOWER_RATE = _step(
    "Lower the learning rate, by a factor of ten or to where the range test "
    "shows a fall: the training loss bounces or is stuck.",
    "callbacks.find_learning_rate",
    "schedules.Warmup",
)
WEIGH = UNDECIDED["one class"][0]
STOP = _step(
    "Stop where the dev error was lowest, and keep those weights.",
    "callbacks.EarlyStopping",
)
AUGMENT = _step(
    "Get more training data; for images, make more by augmentation, "
    "with `value_range=(0, 1)` where pixels are floats from 0 to 1.",
    "augmentation.TrivialAugmentWide",
    "augmentation.RandomAffine",
    "augmentation.CutMix",
)
MORE = _step(
    "Get more training data, or mix the examples that there are; a learning "
    "curve tells what more would bring.",
    "tuning.learning_curve",
    "layers.ManifoldMixup",
)
DROP = _step(
    "Drop units of the network in training: whole branches of a residual "
    "net, regions of feature maps, or single units.",
    "layers.Dropout",
    "layers.StochasticDepth",
    "layers.DropBlock2D",
)
DECAY = _step(
    "Decay the weights, decoupled from the gradient: set `weight_decay`; "
    "under a wrapper such as Lookahead, on the inner optimizer.",
    "optimizers.AdamW",
    "optimizers.ScheduleFreeAdamW",
)
PENALIZE = _step(
    "Penalize weights, singly or in groups; this also prunes the network.",
    "regularizers.ElasticNet",
    "regularizers.GroupLasso",
)
FLAT = _step("Seek a flat minimum.", "optimizers.SAM")
AVERAGE = _step(
    "Average the weights over the last epochs.",
    "callbacks.EMA",
    "callbacks.SWA",
)
TUNE_STRENGTH = _step(
    "Tune the strengths of these by cross-validation, and try a smaller "
    "network.",
    "tuning.CrossValidationTuner",
)
LONGER = _step(
    "Train longer: the training error is still falling. A higher learning "
    "rate gets there in fewer epochs.",
    "callbacks.find_learning_rate",
    "schedules.OneCycle",
)
LARGER = _step("Take a larger network: more units, layers or filters.")
OPTIMIZE = _step(
    "Optimize better: find the learning rate by a range test, warm up to it "
    "and anneal it to the end, or cut it when the error stops falling.",
    "callbacks.find_learning_rate",
    "schedules.OneCycle",
    "optimizers.AdamW",
    "callbacks.ReduceLROnPlateau",
)
LESS = _step(
    "Regularize less: lower the rates of penalties, dropout, weight decay "
    "and augmentation.",
    "regularizers.ElasticNet",
    "layers.StochasticDepth",
    "augmentation.RandomAffine",
)
INPUTS = _step(
    "Look at wrongly predicted training samples: are the labels right, the "
    "inputs scaled, and is what decides the answer among them?"
)
TUNE_SIZE = _step(
    "Tune size and learning rate by cross-validation.",
    "tuning.CrossValidationTuner",
)
BOTH = _step(
    "Lower the training error first; a network that fits can then be "
    "regularized."
)
CALM = _step(
    "Calm the dev curve: cut the learning rate on a plateau, or average the "
    "weights.",
    "callbacks.ReduceLROnPlateau",
    "callbacks.EMA",
)
TEST = _step(
    "Decide on the dev data that this is the model, and evaluate it once on "
    "the test data."
)
REFINE = _step(
    "If the error must go lower, give a `reference` error to aim at, and tune.",
    "tuning.CrossValidationTuner",
)
MISMATCH = (
    _step("Look at what sets dev data apart from training data, and collect "
          "or synthesize training data like them."),
    _step("Move some data from the dev data's source into training."),
)  # fmt: skip
DEV_SET = (
    _step("Get more dev data, or new ones: what was chosen on these fits "
          "them by chance."),
    _step("Compare fewer variants on one dev set; choose by cross-validation.",
          "tuning.CrossValidationTuner"),
)  # fmt: skip
