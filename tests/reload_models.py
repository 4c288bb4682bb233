"""Run in a process of its own: reloads all models of a directory.

Prints one JSON object of names and `null`, or what went wrong.
"""

import json
import pathlib
import sys

import keras
import numpy as np
from saved_models import outputs, train

import keras_regopt  # noqa: F401, the one import that a user must make


def problem(directory, name):
    expected = np.load(directory / f"{name}.npz")
    model = keras.saving.load_model(directory / f"{name}.keras")
    x, y = expected["x"], expected["y"]
    if not np.allclose(outputs(model, x), expected["outputs"], rtol=1e-5):
        return "the predictions differ"
    for i, variable in enumerate(model.optimizer.variables):
        if not np.array_equal(variable.numpy(), expected[f"variable_{i}"]):
            return f"the optimizer's variable {variable.path} differs"
    loss = train(model, x, y)
    if not np.allclose(loss, expected["next_loss"], rtol=1e-4):
        return f"the next loss is {loss} instead of {expected['next_loss']}"
    return None


def main(directory):
    problems = {}
    for path in sorted(directory.glob("*.keras")):
        try:
            problems[path.stem] = problem(directory, path.stem)
        except Exception as error:
            problems[path.stem] = f"{type(error).__name__}: {error}"
    print(json.dumps(problems))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
