"""A small search with real training that can be killed.

Run as a script with a folder and the number of the write to die at.
"""

import os
import signal
import stat
import sys

import keras
import keras_tuner
import numpy as np

from keras_regopt.tuning import CrossValidationTuner


def run(folder):
    x = np.linspace(-1, 1, 8).reshape(4, 2)
    tuner = CrossValidationTuner(
        _build,
        keras_tuner.oracles.RandomSearchOracle("val_loss", 1, seed=1),
        folds=2,
        directory=folder,
    )
    tuner.search(x, x[:, :1], epochs=2, batch_size=1)
    return tuner.cross_validation_results()


def _build(hp):
    rate = hp.Float("rate", 0.01, 0.1)
    layers = [keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def _die_at(deadly):
    writes = 0

    def fsync_or_die(file):
        # The temporary file is written, and not yet in its place.
        nonlocal writes
        # The folder is flushed as well, after the file has its name.
        writes += not stat.S_ISDIR(os.fstat(file).st_mode)
        if writes == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = fsync_or_die


if __name__ == "__main__":
    _die_at(int(sys.argv[2]))
    print(run(sys.argv[1]))
