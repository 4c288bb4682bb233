"""The augmentations of bench_study.py, with five strengths each.

What acts on colours or on the order of channels has no meaning for images of
one channel, and is left out.
"""

import functools

from keras_regopt import augmentation as a

RATES = (0.1, 0.25, 0.5, 0.75, 1.0)
moved = functools.partial(
    a.RandomAffine,
    flip=None,
    rotation=0.0,
    zoom=0.0,
    translation=0.0,
    fill_mode="constant",
)

AUGMENTATIONS = {
    "RandomAffine, shifts": (
        lambda s: moved(translation=s),
        (0.03, 0.06, 0.1, 0.15, 0.2),
    ),
    "RandomAffine, rotation": (
        lambda s: moved(rotation=s),
        (0.01, 0.02, 0.04, 0.07, 0.1),
    ),
    "RandomAffine, zoom": (
        lambda s: moved(zoom=s),
        (0.05, 0.1, 0.15, 0.2, 0.3),
    ),
    "RandomAffine, shear": (
        lambda s: moved(shear=s),
        (0.02, 0.04, 0.06, 0.08, 0.1),
    ),
    "RandomAffine, shifts, rotation and zoom": (
        lambda s: moved(translation=0.1 * s, rotation=0.04 * s, zoom=0.15 * s),
        (0.25, 0.5, 0.75, 1.0, 1.5),
    ),
    "RandomAffine, flips": (
        lambda s: a.Apply(moved(flip="horizontal"), s),
        RATES,
    ),
    "RandomPadCrop": (lambda s: a.RandomPadCrop(s), (1, 2, 3, 4, 5)),
    "RandomResizedCrop": (
        lambda s: a.RandomResizedCrop(28, 28, scale=(s, 1.0)),
        (0.9, 0.8, 0.7, 0.5, 0.3),
    ),
    "RandomPerspective": (
        lambda s: a.RandomPerspective(scale=s),
        (0.05, 0.1, 0.2, 0.3, 0.5),
    ),
    "RandomElastic": (
        lambda s: a.RandomElastic(s, 4.0, fill_mode="constant"),
        (10.0, 20.0, 34.0, 50.0, 80.0),
    ),
    "RandomErasing": (
        lambda s: a.RandomErasing(scale=(0.02, s)),
        (0.05, 0.1, 0.2, 0.33, 0.5),
    ),
    "GridMask": (lambda s: a.GridMask(s), (0.2, 0.3, 0.4, 0.5, 0.6)),
    "RandomColor, brightness and contrast": (
        lambda s: a.RandomColor(s, s, 0.0, 0.0),
        (0.1, 0.2, 0.3, 0.5, 0.8),
    ),
    "RandomGamma": (
        lambda s: a.RandomGamma((1 / (1 + s), 1 + s)),
        (0.1, 0.25, 0.5, 1.0, 2.0),
    ),
    "RandomGaussianNoise": (
        lambda s: a.RandomGaussianNoise(s),
        (0.02, 0.05, 0.1, 0.2, 0.3),
    ),
    "RandomSaltPepper": (
        lambda s: a.RandomSaltPepper((0.0, s)),
        (0.01, 0.03, 0.06, 0.1, 0.2),
    ),
    "RandomGaussianBlur": (
        lambda s: a.RandomGaussianBlur(sigma=(0.1, s)),
        (0.5, 1.0, 1.5, 2.0, 3.0),
    ),
    "RandomMotionBlur": (
        lambda s: a.RandomMotionBlur((1.0, s)),
        (2.0, 3.0, 5.0, 7.0, 9.0),
    ),
    "RandomSharpness": (
        lambda s: a.RandomSharpness(factor=s),
        (0.2, 0.4, 0.6, 0.8, 1.0),
    ),
    "RandomJPEG": (lambda s: a.RandomJPEG((s, 95)), (70, 50, 30, 20, 10)),
    "RandomPosterize": (lambda s: a.RandomPosterize(s), (6, 5, 4, 3, 2)),
    "RandomSolarize": (
        lambda s: a.RandomSolarize((s, 1.0)),
        (0.9, 0.7, 0.5, 0.3, 0.1),
    ),
    "RandomAutoContrast": (lambda s: a.RandomAutoContrast(rate=s), RATES),
    "RandomEqualize": (lambda s: a.RandomEqualize(rate=s), RATES),
    "RandomInvert": (lambda s: a.RandomInvert(rate=s), RATES),
    "MixUp": (lambda s: a.MixUp(s), (0.1, 0.2, 0.4, 0.8, 1.5)),
    "CutMix": (lambda s: a.CutMix(alpha=s), (0.1, 0.3, 0.5, 1.0, 2.0)),
    "Mosaic": (
        lambda s: a.Mosaic((s, 1 - s)),
        (0.05, 0.1, 0.2, 0.3, 0.4),
    ),
    "RandAugment": (
        lambda s: a.RandAugment(magnitude=s),
        (2.0, 4.0, 7.0, 9.0, 12.0),
    ),
    "TrivialAugmentWide": (
        lambda s: a.Apply(a.TrivialAugmentWide(), s),
        RATES,
    ),
    "AutoAugment, svhn": (lambda s: a.Apply(a.AutoAugment("svhn"), s), RATES),
    "AugMix": (lambda s: a.AugMix(severity=s), (1, 2, 3, 5, 8)),
}
