"""Run in a process of its own: serves SavedModels without this package."""

import pathlib
import sys

sys.modules["keras_regopt"] = None  # Importing it raises ImportError.

import numpy as np
import tensorflow as tf
from apart import print_problems

DIRECTORY = pathlib.Path(sys.argv[1])


def problem(name):
    expected = np.load(DIRECTORY / f"{name}.npz")
    artifact = tf.saved_model.load(DIRECTORY / name)
    served = np.asarray(artifact.serve(expected["x"]))
    if not np.allclose(served, expected["outputs"], rtol=1e-4, atol=1e-5):
        return "the served predictions differ"
    return None


if __name__ == "__main__":
    print_problems(
        [path.name for path in DIRECTORY.iterdir() if path.is_dir()], problem
    )
