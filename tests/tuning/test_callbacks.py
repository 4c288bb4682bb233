import os

import keras
import pytest
from fake_search import X, Y, random_oracle

from keras_regopt.callbacks import (
    EarlyStopping,
    FaultTolerant,
    LearningRateLogger,
)
from keras_regopt.tuning import CrossValidationTuner
from keras_regopt.tuning._callbacks import fold_callbacks, without_validation

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    ("monitor", "stays"),
    [
        ("loss", True),
        ("val_loss", False),
        (["loss", "val_loss"], False),
        ({"loss": 1.0, "accuracy": -1.0}, True),
        ({"val_loss": 1.0, "val_accuracy": -1.0}, False),
    ],
)
def test_what_watches_validation_goes_where_there_is_none(monitor, stays):
    stopper, logger = (
        EarlyStopping(monitor, mode="min"),
        keras.callbacks.History(),
    )
    assert (stopper in without_validation([stopper, logger])) == stays
    assert logger in without_validation([stopper, logger])


def test_the_callbacks_of_every_fold_write_into_folders_of_their_own(tmp_path):
    stopper = EarlyStopping("loss")
    callbacks = [
        keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras")),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        LearningRateLogger(log_dir=tmp_path / "logs"),
        LearningRateLogger(),
        stopper,
        FaultTolerant([stopper], tmp_path / "backup"),
    ]
    checkpoint, log, logger, silent, copied, backup = fold_callbacks(
        callbacks, "07", 2
    )
    place = os.path.join("trial_07", "fold_2")
    assert checkpoint.filepath == str(tmp_path / place / "{epoch}.keras")
    assert log.filename == str(tmp_path / place / "log.csv")
    assert (tmp_path / place).is_dir()
    assert logger.log_dir == str(tmp_path / "logs" / place)
    assert silent.log_dir is None
    assert backup.backup_dir == str(tmp_path / "backup" / place)
    assert backup.callbacks[0] is copied is not stopper
    # The originals stay, and a retry does not meet what has failed.
    assert callbacks[0].filepath == str(tmp_path / "{epoch}.keras")
    again = fold_callbacks(callbacks, "07", 2, attempt=1)[0].filepath
    assert again == str(tmp_path / f"{place}_attempt_1" / "{epoch}.keras")


def test_each_fold_leaves_its_own_checkpoint(tmp_path):
    def build(hp):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(hp.Float("rate", 0.01, 0.1)), "mse")
        return model

    tuner = CrossValidationTuner(
        build, random_oracle(), folds=2, directory=tmp_path
    )
    path = tmp_path / "kept" / "best.weights.h5"
    save = keras.callbacks.ModelCheckpoint(str(path), save_weights_only=True)
    tuner.search(X, Y, epochs=1, callbacks=[save], verbose=0)
    folds = [tmp_path / "kept" / "trial_0" / f"fold_{fold}" for fold in (0, 1)]
    assert all((fold / path.name).is_file() for fold in folds)
    tuner.get_best_models()
    # Without validation data, what watches `val_loss` is left out.
    assert not path.exists()
