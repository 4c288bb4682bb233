"""The policies of AutoAugment, from the tables in the paper's appendix.

Each line is a sub-policy: two operations with their probabilities, in tenths,
and their magnitudes from 0 to 9. What has no magnitude has 0.
"""

_ABBREVIATIONS = {
    "auto": "autocontrast",
    "bright": "brightness",
    "color": "color",
    "contrast": "contrast",
    "equal": "equalize",
    "invert": "invert",
    "poster": "posterize",
    "rotate": "rotate",
    "sharp": "sharpness",
    "shear_x": "shear_x",
    "shear_y": "shear_y",
    "solar": "solarize",
    "trans_x": "translate_x",
    "trans_y": "translate_y",
}

_CIFAR10 = """
invert  1 0  contrast 2 6
rotate  7 2  trans_x  3 9
sharp   8 1  sharp    9 3
shear_y 5 8  trans_y  7 9
auto    5 0  equal    9 0
shear_y 2 7  poster   3 7
color   4 3  bright   6 7
sharp   3 9  bright   7 9
equal   6 0  equal    5 0
contrast 6 7 sharp    6 5
color   7 7  trans_x  5 8
equal   3 0  auto     4 0
trans_y 4 3  sharp    2 6
bright  9 6  color    2 8
solar   5 2  invert   0 0
equal   2 0  auto     6 0
equal   2 0  equal    6 0
color   9 9  equal    6 0
auto    8 0  solar    2 8
bright  1 3  color    7 0
solar   4 5  auto     9 0
trans_y 9 9  trans_y  7 9
auto    9 0  solar    8 3
equal   8 0  invert   1 0
trans_y 7 9  auto     9 0
"""

_IMAGENET = """
poster  4 8  rotate   6 9
solar   6 5  auto     6 0
equal   8 0  equal    6 0
poster  6 7  poster   6 6
equal   4 0  solar    2 4
equal   4 0  rotate   8 8
solar   6 3  equal    6 0
poster  8 5  equal   10 0
rotate  2 3  solar    6 8
equal   6 0  poster   4 6
rotate  8 8  color    4 0
rotate  4 9  equal    6 0
equal   0 0  equal    8 0
invert  6 0  equal   10 0
color   6 4  contrast 10 8
rotate  8 8  color   10 2
color   8 8  solar    8 7
sharp   4 7  invert   6 0
shear_x 6 5  equal   10 0
color   4 0  equal    6 0
equal   4 0  solar    2 4
solar   6 5  auto     6 0
invert  6 0  equal   10 0
color   6 4  contrast 10 8
equal   8 0  equal    6 0
"""

_SVHN = """
shear_x 9 4  invert   2 0
shear_y 9 8  invert   7 0
equal   6 0  solar    6 6
invert  9 0  equal    6 0
equal   6 0  rotate   9 3
shear_x 9 4  auto     8 0
shear_y 9 8  invert   4 0
shear_y 9 5  solar    2 6
invert  9 0  auto     8 0
equal   6 0  rotate   9 3
shear_x 9 4  solar    3 3
shear_y 8 8  invert   7 0
equal   9 0  trans_y  6 6
invert  9 0  equal    6 0
contrast 3 3 rotate   8 4
invert  8 0  trans_y  0 2
shear_y 7 6  solar    4 8
invert  6 0  rotate   8 4
shear_y 3 7  trans_x  9 3
shear_x 1 6  invert   6 0
solar   7 2  trans_y  6 7
shear_y 8 4  invert   8 0
shear_x 7 9  trans_y  8 3
shear_y 8 5  auto     7 0
shear_x 7 2  invert   1 0
"""


def _parsed(table):
    """Sub-policies of two triples: name, probability and magnitude."""
    policies = []
    for line in table.strip().splitlines():
        words = line.split()
        policies.append(
            tuple(
                (_ABBREVIATIONS[name], int(tenths) / 10, int(magnitude))
                for name, tenths, magnitude in (words[:3], words[3:])
            )
        )
    return tuple(policies)


POLICIES = {
    "imagenet": _parsed(_IMAGENET),
    "cifar10": _parsed(_CIFAR10),
    "svhn": _parsed(_SVHN),
}
