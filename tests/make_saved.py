"""Writes `tests/saved/<version>/`; run once at every release.

PYTHONPATH=. python tests/make_saved.py
"""

import pathlib

import numpy as np
import saved_models

import keras_regopt


def main():
    directory = pathlib.Path(__file__).parent / "saved"
    directory /= keras_regopt.__version__
    directory.mkdir(parents=True, exist_ok=True)
    for cls in saved_models.savable_classes():
        model, x, _ = saved_models.model_with(cls)
        model.save(directory / f"{cls.__name__}.keras")
        np.savez_compressed(
            directory / f"{cls.__name__}.npz",
            x=x,
            outputs=saved_models.outputs(model, x),
            **{
                f"variable_{i}": v.numpy()
                for i, v in enumerate(model.optimizer.variables)
            },
        )


if __name__ == "__main__":
    main()
