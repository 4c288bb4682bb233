import keras
import numpy as np
import pytest

from keras_regopt.augmentation import Averaged, RandomAffine
from keras_regopt.layers import MonteCarlo

pytestmark = pytest.mark.any_backend


def uncertain():
    layer = MonteCarlo(keras.layers.Dropout(0.3), 4, return_std=False)
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), layer])


def averaged():
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    return Averaged(inner, [RandomAffine()])


def nested():
    return keras.Sequential([keras.Input((8,)), uncertain()])


@pytest.mark.parametrize(
    ("make", "name"),
    [(uncertain, "MonteCarlo"), (averaged, "Averaged"), (nested, "MonteCarlo")],
)
def test_what_draws_in_service_is_not_exported_to_onnx(make, name, tmp_path):
    model = make()
    with pytest.raises(ValueError, match=f"^{name} '.*format='onnx'"):
        model.export(tmp_path / "model.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


def test_other_formats_and_models_are_left_to_keras(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    model(np.ones((1, 8)))
    uncertain()
    with pytest.raises(ValueError, match="pudding"):
        model.export(tmp_path / "model", format="pudding")
    with pytest.raises(ValueError, match="pudding"):
        uncertain().export(tmp_path / "model", format="pudding")
