"""Layers of albumentations and of keras_regopt on the same images.

pip install albumentations==2.0.8
python examples/migrate_albumentations.py

Both are told to do the same to every image, so that no draws differ.
"""

try:
    import albumentations as A
except ImportError as error:
    raise SystemExit(f"This example needs albumentations: {error}") from error

import keras
import numpy as np

import keras_regopt.augmentation as kr

# Of 255: albumentations cuts off what is rounded here.
TOLERANCE = 1
PAIRS = {
    # By default, it does not follow Pillow.
    "AutoContrast": (
        A.AutoContrast(method="pil", p=1),
        kr.RandomAutoContrast(rate=1.0),
    ),
    "InvertImg": (A.InvertImg(p=1), kr.RandomInvert(rate=1.0)),
    "Posterize": (
        A.Posterize(num_bits=(3, 3), p=1),
        kr.RandomPosterize((3, 3)),
    ),
    # A hundredth of the limit is the exponent.
    "RandomGamma": (
        A.RandomGamma(gamma_limit=(140, 140), p=1),
        kr.RandomGamma((1.4, 1.4)),
    ),
    "Solarize": (
        A.Solarize(threshold_range=(0.6, 0.6), p=1),
        kr.RandomSolarize((0.6, 0.6)),
    ),
    "ToGray": (A.ToGray(p=1), kr.RandomGrayscale(rate=1.0)),
}


if __name__ == "__main__":
    images = np.random.default_rng(0).integers(40, 200, (8, 32, 24, 3), "uint8")
    for name, (theirs, ours) in PAIRS.items():
        expected = np.stack([theirs(image=image)["image"] for image in images])
        results = keras.ops.convert_to_numpy(ours(images)).astype(int)
        gap = abs(results - expected).max()
        print(f"{name:13} largest difference of 255: {gap}")
        if gap > TOLERANCE:
            raise SystemExit(f"{name} differs")
