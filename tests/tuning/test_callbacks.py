import keras
import pytest

from keras_regopt.callbacks import EarlyStopping
from keras_regopt.tuning._callbacks import without_validation

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
