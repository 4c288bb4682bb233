import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_regopt import export_clean
from keras_regopt.augmentation import RandomAffine
from keras_regopt.layers import (
    L0,
    BatchRenormalization,
    ConcreteDropout,
    DropBlock2D,
    DropConnect,
    GhostBatchNormalization,
    MonteCarlo,
    RobustScaling,
    StochasticDepth,
    VariationalDropout,
    WeightStandardization,
    Whitening,
    Zoneout,
)
from keras_regopt.regularizers import L1, GradientPenalty, RDrop, SpectralNorm

pytestmark = pytest.mark.any_backend

K = keras.layers
X = np.random.default_rng(0).normal(size=(6, 8, 8, 3)).astype("float32")


def randomized(model):
    random = np.random.default_rng(1)
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            weight.assign(np.abs(random.normal(size=weight.shape)) + 0.1)
    return model


def sequential():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            RandomAffine(),
            WeightStandardization(
                K.Conv2D(4, 3, kernel_regularizer=SpectralNorm(0.1))
            ),
            BatchRenormalization(),
            DropBlock2D(),
            K.GlobalAveragePooling2D(),
            L0(K.Dense(6, kernel_regularizer=L1()), per="weight"),
            L0(K.Dense(6, activation="relu")),
            GhostBatchNormalization(ghost_batch_size=2),
            DropConnect(K.Dense(5)),
            ConcreteDropout(K.Dense(5)),
            K.Dropout(0.5),
            K.Dense(2, bias_constraint="non_neg"),
        ]
    )


def functional():
    inputs = keras.Input((8, 8, 3))
    x = RandomAffine()(inputs)
    x = K.Conv2D(3, 3, padding="same")(x)
    branch = StochasticDepth(0.2)(WeightStandardization(K.Dense(3))(x))
    x = K.Add()([x, branch])
    x = K.Reshape((8, 24))(VariationalDropout(0.2, axis=[1, 2])(x))
    x = K.TimeDistributed(WeightStandardization(K.Dense(4)))(x)
    inner = keras.Sequential([keras.Input((8, 4)), K.GRU(3), K.Dropout(0.1)])
    return keras.Model(inputs, [inner(x), K.Flatten()(branch)])


def around():
    return RDrop(GradientPenalty(sequential(), rate=0.1))


def adapted():
    white, scaled = Whitening(), RobustScaling()
    white.adapt(X)
    scaled.adapt(X)
    return keras.Sequential([keras.Input((8, 8, 3)), scaled, white])


@pytest.mark.parametrize("make", [sequential, functional, around])
def test_has_the_same_outputs_and_keras_layers_alone(make):
    model = randomized(make())
    clean = export_clean(model)
    assert_alike(model, clean)
    for layer in clean._flatten_layers():
        assert type(layer).__module__.startswith("keras.")
        assert not isinstance(layer, (K.Dropout, K.Identity))
        for name, value in layer.get_config().items():
            if name.endswith(("regularizer", "constraint")):
                assert value is None


def test_adapted_layers_become_keras_own():
    model = adapted()
    assert_alike(model, export_clean(model))


def assert_alike(model, clean):
    before = keras.tree.flatten(model(X, training=False))
    after = keras.tree.flatten(clean(X, training=False))
    for a, b in zip(before, after, strict=True):
        a, b = (keras.ops.convert_to_numpy(y) for y in (a, b))
        assert a.std() > 0.01
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_is_loaded_without_this_package(tmp_path):
    clean = export_clean(randomized(sequential()))
    clean.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", X)
    code = (
        "import sys, keras, numpy as np\n"
        "y = keras.saving.load_model('model.keras')(np.load('x.npy'))\n"
        "assert 'keras_regopt' not in sys.modules\n"
        "print(float(keras.ops.sum(y)))\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stderr
    own = keras.ops.convert_to_numpy(clean(X)).sum()
    assert float(child.stdout) == pytest.approx(own, rel=1e-4)


def test_refuses_by_name_what_keras_has_not():
    uncertain = MonteCarlo(K.Dropout(0.3), return_std=False)
    with pytest.raises(ValueError, match=r"MonteCarlo '.*take the layer"):
        export_clean(keras.Sequential([keras.Input((8,)), uncertain]))
    recurrent = K.RNN(Zoneout(K.LSTMCell(3)))
    with pytest.raises(ValueError, match=r"Zoneout '.*no counterpart"):
        export_clean(keras.Sequential([keras.Input((4, 8)), recurrent]))
    with pytest.raises(ValueError, match="`model` of export_clean must be a K"):
        export_clean(K.Dense(3))
    with pytest.raises(ValueError, match="must be built"):
        export_clean(keras.Sequential([K.Dense(3)]))
