"""Draws each schedule, for the page of the schedules."""

import pathlib

from keras_regopt import schedules as s
from keras_regopt._registry import registered

STEPS = 120
CURVES = {
    "CosineDecay": s.CosineDecay(0.1, 100),
    "Cyclical": s.Cyclical(0.02, 0.1, 15, mode="triangular2"),
    "ExponentialDecay": s.ExponentialDecay(0.1, 40, 0.5),
    "Floor": s.Floor(s.LinearToZero(0.1, 100), 0.03),
    "InverseSquareRoot": s.InverseSquareRoot(0.1, 20),
    "Join": s.Join([s.Warmup(0.1, 20), s.LinearToZero(0.1, 40)], [70]),
    "LinearToZero": s.LinearToZero(0.1, 100),
    "OneCycle": s.OneCycle(0.1, 100),
    "PiecewiseInterpolation": s.PiecewiseInterpolation(
        [0, 30, 60, 100], [0.0, 0.1, 0.06, 0.01], "cosine"
    ),
    "PolynomialDecay": s.PolynomialDecay(0.1, 100, 0.01, power=2.0),
    "REX": s.REX(0.1, 100),
    "Repeat": s.Repeat(s.CosineDecay(0.1, 17), 17, 2.0, 0.8),
    "Scale": s.Scale(s.CosineDecay(0.1, 100), 0.5),
    "StepDecay": s.StepDecay(0.1, 30, 0.5),
    "TimeBasedDecay": s.TimeBasedDecay(0.1, 0.05),
    "Warmup": s.Warmup(s.LinearToZero(0.1, 100), 20),
    "WarmupStableDecay": s.WarmupStableDecay(0.1, 100, 15, 30, "1-sqrt"),
}


def draw(directory):
    """Writes one picture for each schedule, and a page that shows them all.

    Args:
        directory: Where to write; it is made if it is not there.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    names = [cls.__name__ for cls in registered(s.Schedule)]
    if names != sorted(CURVES):
        raise ValueError(f"CURVES must have an entry for each of {names}")
    for name in names:
        axes = s.plot(CURVES[name], STEPS)
        axes.set_title(name)
        axes.figure.set_size_inches(3.4, 2.3)
        axes.figure.savefig(directory / f"{name}.svg")
    pictures = [f"![The rate of {name} by step]({name}.svg)" for name in names]
    (directory / "schedules.txt").write_text("\n".join(pictures) + "\n")
