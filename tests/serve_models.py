"""Run in a process of its own: serves SavedModels without this package.

Prints one JSON object of names and `null`, or what went wrong.
"""

import json
import pathlib
import sys

sys.modules["keras_regopt"] = None  # Importing it raises ImportError.

import numpy as np
import tensorflow as tf


def problem(directory, name):
    expected = np.load(directory / f"{name}.npz")
    artifact = tf.saved_model.load(directory / name)
    served = np.asarray(artifact.serve(expected["x"]))
    if not np.allclose(served, expected["outputs"], rtol=1e-4, atol=1e-5):
        return "the served predictions differ"
    return None


def main(directory):
    problems = {}
    for path in sorted(p for p in directory.iterdir() if p.is_dir()):
        try:
            problems[path.name] = problem(directory, path.name)
        except Exception as error:
            problems[path.name] = f"{type(error).__name__}: {error}"
    print(json.dumps(problems))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
