import keras
import numpy as np
import pytest

from keras_regopt.augmentation import AutoAugment
from keras_regopt.augmentation.image.functional._auto_augment_policies import (
    POLICIES,
)

# The tables of the paper's appendix, as they stand there, also with the
# magnitudes of operations that have none: an operation, its probability and
# its magnitude, twice for each pair.
PAPER = {
    "cifar10": """
        Invert .1 7 Contrast .2 6, Rotate .7 2 TranslateX .3 9,
        Sharpness .8 1 Sharpness .9 3, ShearY .5 8 TranslateY .7 9,
        AutoContrast .5 8 Equalize .9 2, ShearY .2 7 Posterize .3 7,
        Color .4 3 Brightness .6 7, Sharpness .3 9 Brightness .7 9,
        Equalize .6 5 Equalize .5 1, Contrast .6 7 Sharpness .6 5,
        Color .7 7 TranslateX .5 8, Equalize .3 7 AutoContrast .4 8,
        TranslateY .4 3 Sharpness .2 6, Brightness .9 6 Color .2 8,
        Solarize .5 2 Invert .0 3, Equalize .2 0 AutoContrast .6 0,
        Equalize .2 8 Equalize .6 4, Color .9 9 Equalize .6 6,
        AutoContrast .8 4 Solarize .2 8, Brightness .1 3 Color .7 0,
        Solarize .4 5 AutoContrast .9 3, TranslateY .9 9 TranslateY .7 9,
        AutoContrast .9 2 Solarize .8 3, Equalize .8 8 Invert .1 3,
        TranslateY .7 9 AutoContrast .9 1""",
    "svhn": """
        ShearX .9 4 Invert .2 3, ShearY .9 8 Invert .7 5,
        Equalize .6 5 Solarize .6 6, Invert .9 3 Equalize .6 3,
        Equalize .6 1 Rotate .9 3, ShearX .9 4 AutoContrast .8 3,
        ShearY .9 8 Invert .4 5, ShearY .9 5 Solarize .2 6,
        Invert .9 6 AutoContrast .8 1, Equalize .6 3 Rotate .9 3,
        ShearX .9 4 Solarize .3 3, ShearY .8 8 Invert .7 4,
        Equalize .9 5 TranslateY .6 6, Invert .9 4 Equalize .6 7,
        Contrast .3 3 Rotate .8 4, Invert .8 5 TranslateY .0 2,
        ShearY .7 6 Solarize .4 8, Invert .6 4 Rotate .8 4,
        ShearY .3 7 TranslateX .9 3, ShearX .1 6 Invert .6 5,
        Solarize .7 2 TranslateY .6 7, ShearY .8 4 Invert .8 8,
        ShearX .7 9 TranslateY .8 3, ShearY .8 5 AutoContrast .7 3,
        ShearX .7 2 Invert .1 5""",
    "imagenet": """
        Posterize .4 8 Rotate .6 9, Solarize .6 5 AutoContrast .6 5,
        Equalize .8 8 Equalize .6 3, Posterize .6 7 Posterize .6 6,
        Equalize .4 7 Solarize .2 4, Equalize .4 4 Rotate .8 8,
        Solarize .6 3 Equalize .6 7, Posterize .8 5 Equalize 1. 2,
        Rotate .2 3 Solarize .6 8, Equalize .6 8 Posterize .4 6,
        Rotate .8 8 Color .4 0, Rotate .4 9 Equalize .6 2,
        Equalize .0 7 Equalize .8 8, Invert .6 4 Equalize 1. 8,
        Color .6 4 Contrast 1. 8, Rotate .8 8 Color 1. 2,
        Color .8 8 Solarize .8 7, Sharpness .4 7 Invert .6 8,
        ShearX .6 5 Equalize 1. 9, Color .4 0 Equalize .6 3,
        Equalize .4 7 Solarize .2 4, Solarize .6 5 AutoContrast .6 5,
        Invert .6 4 Equalize 1. 8, Color .6 4 Contrast 1. 8,
        Equalize .8 8 Equalize .6 3""",
}

WITHOUT_MAGNITUDE = ("autocontrast", "equalize", "invert")

# The amounts at the magnitudes 0 and 9, for images of 40 x 40.
RANGES = {
    "shear": (0, 0.3),
    "translate": (0, 40 * 150 / 331),
    "rotate": (0, 30),
    "solarize": (255, 0),
    "posterize": (8, 4),
}


def part_of(words):
    name, probability, magnitude = words
    name = name.replace("X", "_x").replace("Y", "_y").lower()
    magnitude = 0 if name in WITHOUT_MAGNITUDE else int(magnitude)
    return name, float(probability), magnitude


def pairs_of(policy):
    for pair in PAPER[policy].split(","):
        words = pair.split()
        yield part_of(words[:3]), part_of(words[3:])


@pytest.mark.parametrize("policy", PAPER)
def test_its_policies_are_those_of_the_paper(policy):
    assert POLICIES[policy] == tuple(pairs_of(policy))


@pytest.mark.any_backend
@pytest.mark.parametrize("policy", PAPER)
def test_draws_operations_as_often_and_as_strong_as_the_policy_says(policy):
    layer, many = AutoAugment(policy, seed=0), 10000
    drawn = layer.sample((many, 40, 40, 3), layer._seeds.current())
    drawn = {k: keras.ops.convert_to_numpy(v) for k, v in drawn.items()}
    names = np.array(layer._names)[drawn["operation"]]
    for step in (0, 1):
        expected = {}
        for pair in pairs_of(policy):
            name, probability, magnitude = pair[step]
            low, high = RANGES.get(name.partition("_")[0], (0, 0.9))
            amount = low + (high - low) * magnitude / 9
            if name in WITHOUT_MAGNITUDE:
                amount = 0
            amounts = {amount}
            if name.startswith(("shear", "translate", "rotate")):
                amounts = {amount, -amount}
            elif (low, high) == (0, 0.9) and name not in WITHOUT_MAGNITUDE:
                amounts = {1 + amount, 1 - amount}
            for each in amounts:
                key = name, round(each, 2)
                odds = probability / 25 / len(amounts)
                expected[key] = expected.get(key, 0) + odds
        for (name, amount), odds in expected.items():
            near = np.abs(drawn["amount"][:, step] - amount) < 0.01
            found = np.mean(near & (names[:, step] == name))
            # Five standard deviations.
            assert abs(found - odds) <= 5 * np.sqrt(odds / many), name
        rest = 1 - sum(expected.values())
        found = np.mean(names[:, step] == "identity")
        assert abs(found - rest) < 0.03
