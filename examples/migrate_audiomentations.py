"""Layers of audiomentations and of keras_regopt on the same clips.

pip install audiomentations==0.43.1
python examples/migrate_audiomentations.py

Both are told to do the same to every clip, so that no draws differ.
"""

try:
    import audiomentations as A
except ImportError as error:
    raise SystemExit(f"This example needs audiomentations: {error}") from error

import keras
import numpy as np

import keras_regopt.augmentation as kr

RATE = 16000
TOLERANCE = 1e-6
PAIRS = {
    "Gain": (A.Gain(-6, -6, p=1), kr.RandomGain((-6, -6))),
    "Normalize": (A.Normalize(p=1), kr.PeakNormalization()),
    "PolarityInversion": (
        A.PolarityInversion(p=1),
        kr.RandomPolarity(rate=1.0),
    ),
    "Reverse": (A.Reverse(p=1), kr.RandomReverse(rate=1.0)),
    # Theirs fades by default.
    "Shift": (
        A.Shift(0.25, 0.25, fade_duration=0, p=1),
        kr.RandomTimeShift((0.25, 0.25)),
    ),
}


if __name__ == "__main__":
    random = np.random.default_rng(0)
    clips = random.uniform(-0.8, 0.8, (4, RATE)).astype("float32")
    for name, (theirs, ours) in PAIRS.items():
        expected = np.stack([theirs(clip, sample_rate=RATE) for clip in clips])
        results = keras.ops.convert_to_numpy(ours(clips, training=True))
        gap = abs(results - expected).max()
        print(f"{name:17} largest difference: {gap:.1e}")
        if gap > TOLERANCE:
            raise SystemExit(f"{name} differs")
