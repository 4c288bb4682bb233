"""A training on handwritten digits that takes part in all that can get lost."""

import hashlib
import json
import os

import h5py
import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_regopt
from keras_regopt.callbacks import FaultTolerant
from keras_regopt.callbacks.backup._backup_directory import LATEST

EPOCHS, BATCH_SIZE, SAVE_FREQ = 14, 32, 7
VARIANTS = ("ours", "keras")


def digits():
    """Images and labels for training, then for validation."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    return (x[:400], y[:400]), (x[400:600], y[400:600])


def train(directory, variant, data, hook):
    """Runs the training, or goes on with it, and writes down its result.

    Args:
        directory: Where everything is written.
        variant: `"ours"` has a schedule and the callbacks of this package,
            `"keras"` a plain rate and Keras' callbacks.
        data: What `digits` returned.
        hook: A callback that is not guarded.
    """
    # Once there is a backup, the seeds of the script count for nothing.
    begun = os.path.exists(os.path.join(directory, "backup", LATEST))
    keras.utils.set_random_seed(os.getpid() if begun else 0)
    (x, y), validation_data = data
    model = _model(variant)
    guarded = _callbacks(variant, directory)
    tolerant = FaultTolerant(
        guarded, os.path.join(directory, "backup"), SAVE_FREQ
    )
    history = model.fit(
        x,
        y,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=validation_data,
        validation_batch_size=200,
        verbose=0,
        callbacks=[tolerant, *guarded, hook],
    )
    _write_result(directory, model, history, guarded[0])


def _model(variant):
    keras.backend.clear_session()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras_regopt.augmentation.image.RandomGaussianNoise(
                stddev=0.2, value_range=(0, 1)
            ),
            keras.layers.Flatten(),
            keras.layers.Dense(24, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.8),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    )
    rate = 0.01
    if variant == "ours":
        rate = keras.optimizers.schedules.ExponentialDecay(rate, 40, 0.9)
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _callbacks(variant, directory):
    package = keras_regopt if variant == "ours" else keras
    return [
        package.callbacks.EarlyStopping(
            "val_loss", patience=2, min_delta=0.02, restore_best_weights=True
        ),
        package.callbacks.ReduceLROnPlateau(
            "val_loss", factor=0.5, patience=1, min_delta=0.05
        ),
        keras.callbacks.CSVLogger(os.path.join(directory, "log.csv")),
        keras.callbacks.ModelCheckpoint(
            os.path.join(directory, "best.weights.h5"),
            save_best_only=True,
            save_weights_only=True,
        ),
    ]


def _write_result(directory, model, history, stopper):
    with open(os.path.join(directory, "log.csv")) as file:
        log = file.read()
    result = {
        "epochs": history.epoch,
        # To the last bit.
        "history": {
            name: [float(value).hex() for value in values]
            for name, values in history.history.items()
        },
        "stopped_epoch": stopper.stopped_epoch,
        "weights": _checksum(model.get_weights()),
        "best weights": _checksum(
            _arrays_of(os.path.join(directory, "best.weights.h5"))
        ),
        "log": log,
    }
    path = os.path.join(directory, "result.json")
    with open(f"{path}.tmp", "w") as file:
        json.dump(result, file)
    os.replace(f"{path}.tmp", path)


def _arrays_of(path):
    arrays = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: (
                arrays.append(item[()])
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return arrays


def _checksum(arrays):
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    ).hexdigest()
