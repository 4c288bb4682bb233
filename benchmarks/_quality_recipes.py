"""How bench_optimizer_quality.py makes each optimizer: one place for all."""

import functools
import inspect
import re

import keras

from keras_regopt import optimizers

# Classes that train nothing by themselves.
HELPERS = {
    "GradientTransformation",
    "Optimizer",
    "OptimizerWrapper",
    "ParameterGroup",
}


class Recipe:
    """A function of the learning rate that makes an optimizer.

    Args:
        make: The function.
        rate: The rate that the class proposes, the middle of the search.
        model: Function of a model that gives the one to train.
        gradients: Gradients that a train step takes.
    """

    def __init__(self, make, rate, model=None, gradients=1):
        self.make = make
        self.rate = rate
        self.model = model or (lambda model: model)
        self.gradients = gradients


def of(cls, rate=None, **arguments):
    """A recipe for a class that takes a learning rate."""
    if rate is None:
        rate = inspect.signature(cls).parameters["learning_rate"].default
    return Recipe(functools.partial(cls, **arguments), rate)


def around(cls, inner, **arguments):
    """A recipe for a wrapper around what another recipe makes."""
    return Recipe(lambda rate: cls(inner.make(rate), **arguments), inner.rate)


def recipes():
    """A dict: label to recipe.

    Raises:
        ValueError: If a class of the package is in no label.
    """
    ours, theirs = optimizers, keras.optimizers
    sgd = of(theirs.SGD, momentum=0.9)
    adam = of(theirs.Adam)
    inners = {
        "SGD": sgd,
        "Adam": adam,
        # The sign of a gradient is far longer than the gradient.
        "SGD at 0.001": of(theirs.SGD, rate=0.001, momentum=0.9),
    }
    made = {
        "Keras SGD": of(theirs.SGD),
        "Keras SGD, momentum 0.9": sgd,
        "Keras Adam": adam,
        "Keras AdamW": of(theirs.AdamW),
        "Keras Lion": of(theirs.Lion),
        "Keras Lamb": of(theirs.Lamb),
        "SGD": of(ours.SGD),
        "SGD, momentum 0.9, nesterov": of(
            ours.SGD, momentum=0.9, nesterov=True
        ),
        "SGD, momentum 0.9, l2 1e-3": of(ours.SGD, momentum=0.9, l2=1e-3),
        "RMSprop": of(ours.RMSprop),
        "Adagrad": of(ours.Adagrad, rate=0.01),
        "Adam": of(ours.Adam),
        "Adamax": of(ours.Adamax),
        "Nadam": of(ours.Nadam),
        "Adafactor": of(ours.Adafactor),
        "Ftrl": of(ours.Ftrl),
        "Adam, l2 1e-3": of(ours.Adam, l2=1e-3),
        "AdamW": of(ours.AdamW),
        "RAdam": of(ours.RAdam),
        "AdaBelief": of(ours.AdaBelief),
        "Yogi": of(ours.Yogi),
        "NovoGrad": of(ours.NovoGrad),
        "LAMB": of(ours.LAMB),
        "LARS": of(ours.LARS),
        "Prodigy": of(ours.Prodigy),
        "DoG": of(ours.DoG),
        "ExponentialMovingAverage(DoG)": around(
            ours.ExponentialMovingAverage, of(ours.DoG), momentum=0.95
        ),
        "ScheduleFreeSGD": of(ours.ScheduleFreeSGD),
        "ScheduleFreeSGD, warm-up": of(ours.ScheduleFreeSGD, warmup_steps=60),
        "ScheduleFreeAdamW": of(ours.ScheduleFreeAdamW),
        "ScheduleFreeAdamW, warm-up": of(
            ours.ScheduleFreeAdamW, warmup_steps=60
        ),
        "SOAP": of(ours.SOAP),
        "AdEMAMix": of(ours.AdEMAMix),
        "MARS": of(ours.MARS),
        "ADOPT": of(ours.ADOPT),
        "Adan": of(ours.Adan),
        "ProximalSGD, l1 1e-4": of(ours.ProximalSGD, momentum=0.9, l1=1e-4),
        "ProximalAdam, l1 1e-4": of(ours.ProximalAdam, l1=1e-4),
        "MSAM": of(ours.MSAM),
        "SAM(SGD)": around(ours.SAM, sgd),
        "SAM(Adam)": around(ours.SAM, adam),
        "SAM(Adam), adaptive": around(ours.SAM, adam, adaptive=True, rho=0.5),
        "SharpnessAwareModel(SGD)": Recipe(
            sgd.make, sgd.rate, ours.SharpnessAwareModel, gradients=2
        ),
        "SharpnessAwareModel(Adam)": Recipe(
            adam.make, adam.rate, ours.SharpnessAwareModel, gradients=2
        ),
        "HypergradientDescent(plain SGD)": around(
            ours.HypergradientDescent,
            of(theirs.SGD),
            hypergradient_learning_rate=1e-3,
        ),
        "HypergradientDescent(Adam), multiplicative": around(
            ours.HypergradientDescent,
            adam,
            hypergradient_learning_rate=0.02,
            multiplicative=True,
        ),
        "Lookahead(SGD)": around(ours.Lookahead, sgd),
        "Lookahead(Adam)": around(ours.Lookahead, adam),
        "ExponentialMovingAverage(Adam)": around(
            ours.ExponentialMovingAverage, adam, momentum=0.95
        ),
        "GradientAccumulation(Adam), 2": around(
            ours.GradientAccumulation, adam, steps=2
        ),
    }
    for inner, transformation in (
        ("Adam", ours.AdaptiveGradientClipping(clip_factor=0.1)),
        ("Adam", ours.CautiousMask()),
        ("SGD", ours.GradientCentralization()),
        ("Adam", ours.GradientNoise(seed=0)),
        ("SGD", ours.GradientNormalization()),
        ("SGD at 0.001", ours.GradientSign()),
    ):
        name = type(transformation).__name__
        made[f"Transformed({inner}, {name})"] = around(
            ours.Transformed, inners[inner], transformations=[transformation]
        )
    check_complete(made)
    return made


def check_complete(labels):
    words = {word for label in labels for word in re.findall(r"\w+", label)}
    classes = {
        name
        for name in optimizers.__all__
        if isinstance(getattr(optimizers, name), type)
    }
    # LBFGS has no rate to search, and so a run of its own.
    missing = classes - words - HELPERS - {"LBFGS"}
    if missing:
        raise ValueError(f"There is no recipe for {sorted(missing)}.")
