"""What bench_study.py compares, each with five trials to tune it."""

import dataclasses
import typing

import numpy as np
from _quality_recipes import recipes
from _regularization_techniques import NONE, TECHNIQUES, Technique
from _study_augmentations import AUGMENTATIONS
from _study_training import EPOCHS, Setup, cross_entropy, warm_cosine

from keras_regopt import callbacks, layers, regularizers, schedules

BASELINE = "Keras Adam"
# Of the rate that a class proposes, and of the one that the baseline takes.
FACTORS = tuple(float(f) for f in 10.0 ** np.arange(-0.5, 1.6, 0.5))
AGAIN = tuple(float(f) for f in 10.0 ** np.arange(-0.5, 0.6, 0.25))
# What comes first, and alone with `--shortlist`: some of each kind.
SHORTLIST = (
    f"{BASELINE}, tuned again",
    "AdamW",
    "L2",
    "RandomAffine, shifts, rotation and zoom",
    "OneCycle",
    "EMA",
    "SGD, momentum 0.9, nesterov",
    "Dropout",
    "RandomElastic",
    "MixUp",
    "Keras BatchNormalization",
    "SOAP",
    "RandAugment",
    "constant",
    "SWA, constant rate",
    "Keras label smoothing",
    "ScheduleFreeAdamW, warm-up",
    "CutMix",
    "ManifoldMixup",
    "SharpnessAwareModel(Adam)",
    "RandomErasing",
    "DropBlock2D",
    "Keras Lion",
    "VirtualAdversarial",
    "Prodigy",
)
# These need no decay, by their papers.
WITHOUT_DECAY = ("DoG", "Prodigy", "ScheduleFree")


@dataclasses.dataclass
class Contender:
    """A technique.

    Args:
        kind: The group that it belongs to.
        name: Its name in the table.
        strengths: What is tried.
        setup: Gives a `Setup` from a strength and the baseline's factor.
        compiles: Whether each strength needs a train step of its own.
    """

    kind: str
    name: str
    strengths: tuple
    setup: typing.Callable
    compiles: bool = False


def contenders():
    """A dict from name to contender, the baseline first."""
    made = [
        *optimizers(),
        *regularizing(),
        *augmentations(),
        *rates(),
        *averages(),
    ]
    names = [contender.name for contender in made]
    if len(set(names)) < len(names):
        raise ValueError(f"A name stands twice in {sorted(names)}.")
    made.sort(key=lambda contender: contender.name != BASELINE)
    return {contender.name: contender for contender in made}


def constant(steps):
    return schedules.Scale(1.0, 1.0)


def optimizers():
    for name, recipe in recipes().items():
        plain = name.partition("(")[0].startswith(WITHOUT_DECAY)
        plain = plain or "(DoG" in name

        def setup(factor, base, recipe=recipe, plain=plain):
            return Setup(
                recipe=recipe,
                factor=factor,
                schedule=constant if plain else warm_cosine,
            )

        yield Contender("optimizer", name, FACTORS, setup)
    yield Contender(
        "control",
        f"{BASELINE}, tuned again",
        AGAIN,
        lambda factor, base: Setup(factor=base * factor),
    )


# Those that bench_regularization.py leaves out.
MORE = {
    "GaussianDropout": Technique(
        "dropout",
        (0.1, 0.3, 0.5),
        drop=lambda s, rank: layers.GaussianDropout(s),
    ),
    "GaussianNoise": Technique(
        "dropout",
        (0.03, 0.1, 0.3),
        drop=lambda s, rank: layers.GaussianNoise(s),
    ),
}


def regularizing():
    for name, technique in {**TECHNIQUES, **MORE}.items():
        if name == NONE:
            continue
        tuned = len(technique.strengths) == 3

        def setup(strength, base, technique=technique, tuned=tuned):
            if tuned:
                return Setup(chosen=[(technique, strength)], factor=base)
            chosen = [(technique, technique.strengths[0])]
            return Setup(chosen=chosen, factor=base * strength)

        yield Contender(
            "regularization",
            name,
            between(technique.strengths) if tuned else AGAIN,
            setup,
            compiles=tuned,
        )
    smoothings = (0.02, 0.05, 0.1, 0.2, 0.3)
    yield Contender(
        "regularization",
        "Keras label smoothing",
        smoothings,
        lambda s, base: Setup(factor=base, loss=cross_entropy(s)),
        compiles=True,
    )
    yield Contender(
        "regularization",
        "SmoothedCrossentropy",
        smoothings,
        lambda s, base: Setup(
            factor=base,
            loss=regularizers.SmoothedCrossentropy(s, from_logits=True),
        ),
        compiles=True,
    )


def between(strengths):
    """Three strengths, and the geometric means of neighbours."""
    low, middle, high = strengths
    found = low, (low * middle) ** 0.5, middle, (middle * high) ** 0.5, high
    return tuple(float(f"{strength:.3g}") for strength in found)


def augmentations():
    for name, (make, strengths) in AUGMENTATIONS.items():
        yield Contender(
            "augmentation",
            name,
            strengths,
            lambda s, base, make=make: Setup(factor=base, augment=make(s)),
        )


def rates():
    made = {
        "constant": constant,
        "CosineDecay, no warm-up": lambda n: schedules.CosineDecay(1.0, n),
        "OneCycle": lambda n: schedules.OneCycle(1.0, n),
        "LinearToZero": lambda n: schedules.LinearToZero(1.0, n),
        "LinearToZero, warm-up": lambda n: schedules.Warmup(
            schedules.LinearToZero(1.0, n), n // 10
        ),
        "REX": lambda n: schedules.REX(1.0, n),
        "PolynomialDecay, power 2": lambda n: schedules.PolynomialDecay(
            1.0, n, 0.0, power=2.0
        ),
        "ExponentialDecay": lambda n: schedules.ExponentialDecay(1.0, n, 0.01),
        "StepDecay": lambda n: schedules.StepDecay(1.0, n // 3, 0.1),
        "TimeBasedDecay": lambda n: schedules.TimeBasedDecay(1.0, 9.0 / n),
        "InverseSquareRoot": lambda n: schedules.InverseSquareRoot(
            1.0, n // 10
        ),
        "WarmupStableDecay": lambda n: schedules.WarmupStableDecay(
            1.0, n, n // 10, n // 5
        ),
        "Cyclical": lambda n: schedules.Cyclical(0.05, 1.0, n // 8),
        "Cyclical, triangular2": lambda n: schedules.Cyclical(
            0.01, 1.0, n // 8, mode="triangular2"
        ),
        "Repeat(CosineDecay)": lambda n: schedules.Repeat(
            schedules.CosineDecay(1.0, n // 3), n // 3
        ),
        "Floor(LinearToZero)": lambda n: schedules.Floor(
            schedules.LinearToZero(1.0, n), 0.1
        ),
    }
    for name, schedule in made.items():
        yield Contender(
            "schedule",
            name,
            FACTORS,
            lambda f, base, schedule=schedule: Setup(
                factor=f, schedule=schedule
            ),
        )
    yield Contender(
        "schedule",
        "ReduceLROnPlateau",
        (1, 2, 3, 4, 6),
        lambda patience, base: Setup(
            factor=base,
            schedule=None,
            callbacks=lambda n: [
                callbacks.ReduceLROnPlateau(
                    monitor="loss", factor=0.3, patience=patience
                )
            ],
        ),
    )


def averages():
    def averaging(average):
        return lambda n: [callbacks.WeightAveraging(average(n))]

    made = {
        "EMA": (
            (0.8, 0.9, 0.95, 0.98, 0.99),
            lambda s: lambda n: callbacks.EMA(momentum=s),
        ),
        "SWA": (
            (0.5, 0.6, 0.7, 0.8, 0.9),
            lambda s: lambda n: callbacks.SWA(start=int(s * EPOCHS)),
        ),
        "LAWA": (
            (2, 3, 4, 6, 8),
            lambda s: lambda n: callbacks.LAWA(last=s),
        ),
    }
    for decay in (True, False):
        for name, (strengths, average) in made.items():
            yield Contender(
                "averaging",
                name if decay else f"{name}, constant rate",
                strengths,
                lambda s, base, average=average, decay=decay: Setup(
                    factor=base,
                    schedule=warm_cosine if decay else None,
                    callbacks=averaging(average(s)),
                ),
            )
