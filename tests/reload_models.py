"""Run in a process of its own: reloads all models of a directory."""

import pathlib
import sys

import keras
import numpy as np
from apart import print_problems
from saved_models import outputs, train

import keras_regopt  # noqa: F401, the one import that a user must make

DIRECTORY = pathlib.Path(sys.argv[1])


def problem(name):
    expected = np.load(DIRECTORY / f"{name}.npz")
    model = keras.saving.load_model(DIRECTORY / f"{name}.keras")
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


if __name__ == "__main__":
    print_problems([path.stem for path in DIRECTORY.glob("*.keras")], problem)
