import json

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import RandomGaussianNoise, RandomInvert
from keras_regopt.layers import Dropout, GaussianDropout, GaussianNoise
from keras_regopt.optimizers import Adam
from keras_regopt.regularizers import (
    L1,
    L2,
    ElasticNet,
    GroupLasso,
    SmoothedCrossentropy,
)
from keras_regopt.tuning import HyperParameter

any_backend = pytest.mark.any_backend


@any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.1, 0.5, 0.01), "`low` of HyperParameter must be below `high`"),
        ((0.1, 0.0, 0.5), "`low` .* > 0.*logarithmic scale has no 0"),
        ((0.9, 0.01, 0.5), "`value` of HyperParameter must be a number >="),
        ((0.1, 0.01, 1.0, "logit"), "`high` .* < 1"),
        ((0.1, 0.01, 0.5, "sqrt"), "`scale` .* one of 'log', 'linear'"),
        ((float("nan"), 0.01, 0.5), "`value` of HyperParameter"),
        ((0.1, 0.01, 0.5, "log", 3), "`name` of HyperParameter"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        HyperParameter(*arguments)


@any_backend
@pytest.mark.parametrize("scale", ["log", "linear", "logit"])
def test_positions_and_values_belong_together(scale):
    parameter = HyperParameter(0.1, 0.01, 0.9, scale)
    for value in (0.01, 0.1, 0.5, 0.9):
        position = parameter.position_of(value)
        assert 0 <= position <= 1
        # Tensors are in single precision.
        tensor = parameter.at(keras.ops.convert_to_tensor(position, "float32"))
        assert float(tensor) == pytest.approx(value, rel=1e-6)
        assert parameter.number_at(position) == pytest.approx(value, rel=1e-12)


@any_backend
@pytest.mark.parametrize(
    "make",
    [
        lambda h: RandomInvert(rate=h),
        lambda h: GaussianDropout(h),
        lambda h: GroupLasso(h),
        lambda h: ElasticNet(l1_ratio=h),
        lambda h: Adam(beta_1=h),
        lambda h: Adam(weight_decay=h),
    ],
)
def test_an_argument_that_takes_none_refuses_it_by_name(make):
    with pytest.raises(ValueError, match=r"Received: .*HyperParameter"):
        make(HyperParameter(0.1, 0.01, 0.5))


@any_backend
@pytest.mark.parametrize(
    ("cls", "bounds", "argument"),
    [
        (Dropout, (0.1, 1.5), "rate"),
        (GaussianNoise, (-1.0, 0.5), "stddev"),
        (RandomGaussianNoise, (0.1, 1.5), "stddev"),
        (L2, (-1.0, 1.0), "l2"),
        (SmoothedCrossentropy, (0.1, 1.0), "label_smoothing"),
    ],
)
def test_bounds_beyond_those_of_the_argument_are_refused(cls, bounds, argument):
    parameter = HyperParameter(0.2, *bounds, "linear")
    with pytest.raises(ValueError, match=f"`{argument}` of {cls.__name__}"):
        cls(parameter)


@any_backend
@pytest.mark.parametrize(
    ("cls", "argument"),
    [
        (L1, "l1"),
        (L2, "l2"),
        (ElasticNet, "rate"),
        (Dropout, "rate"),
        (GaussianNoise, "stddev"),
        (RandomGaussianNoise, "stddev"),
        (SmoothedCrossentropy, "label_smoothing"),
        (Adam, "learning_rate"),
    ],
)
def test_the_present_value_survives_the_configuration(cls, argument):
    parameter = HyperParameter(0.2, 0.1, 0.4)
    thing = cls(parameter)
    parameter.assign(0.3)
    again = cls.from_config(json.loads(json.dumps(thing.get_config())))
    held = "_learning_rate" if cls is Adam else argument
    restored = getattr(again, held)
    assert isinstance(restored, HyperParameter)
    assert (restored.value, restored.low, restored.high) == (0.3, 0.1, 0.4)


@pytest.mark.parametrize("cls", [L1, L2, ElasticNet])
def test_a_penalty_is_that_of_the_number(cls):
    x = np.array([[0.5, -2.0], [1.0, 0.0]], "float32")
    found = cls(HyperParameter(0.2, 0.1, 0.4))(x)
    wanted = cls(0.2)(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(found),
        keras.ops.convert_to_numpy(wanted),
        rtol=1e-6,
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_noise_is_that_of_the_number(dtype):
    x = keras.ops.zeros((4, 5))
    found, wanted = (
        GaussianNoise(stddev, seed=1, dtype=dtype)(x, training=True)
        for stddev in (HyperParameter(0.2, 0.1, 0.4), 0.2)
    )
    assert found.dtype == wanted.dtype
    found, wanted = (
        keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))
        for x in (found, wanted)
    )
    # Half precision has 8 bits.
    exact = {"rtol": 1e-6, "atol": 1e-7}
    half = {"rtol": 1e-2, "atol": 1e-5}
    limits = exact if dtype == "float32" else half
    np.testing.assert_allclose(found, wanted, **limits)


def test_dropout_keeps_the_mean_and_rests_in_inference():
    layer = Dropout(HyperParameter(0.3, 0.1, 0.6), seed=0)
    x = keras.ops.ones((200, 100))
    y = keras.ops.convert_to_numpy(layer(x, training=True))
    # The relaxation is not exactly unbiased; the error of the mean is 0.005.
    assert abs(float(y.mean()) - 1) < 0.05
    # Most units are near to dropped or kept.
    assert 0.2 < float((y < 0.2).mean()) < 0.4
    rest = keras.ops.convert_to_numpy(layer(x, training=False))
    assert (rest == 1).all()


@pytest.mark.any_compiler
def test_jax_warns_that_compiled_functions_keep_the_value():
    rate = HyperParameter(0.1, 1e-3, 1.0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(Adam(rate), "mse")
    rate.assign(0.2)
    model.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0)
    with pytest.warns(UserWarning, match="Compile the model again"):
        rate.assign(0.3)


def test_a_saved_model_predicts_and_trains_on(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            GaussianNoise(HyperParameter(0.1, 0.01, 0.5), seed=0),
            keras.layers.Dense(
                3,
                "softmax",
                kernel_regularizer=L2(HyperParameter(0.1, 1e-3, 1.0)),
            ),
        ]
    )
    rate = HyperParameter(0.1, 1e-3, 1.0)
    model.compile(
        Adam(rate), SmoothedCrossentropy(HyperParameter(0.1, 0.01, 0.4))
    )
    x, y = np.eye(4, dtype="float32"), np.arange(4) % 3
    model.fit(x, y, batch_size=4, verbose=0)
    path = str(tmp_path / "model.keras")
    model.save(path)
    again = keras.saving.load_model(path)
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6
    )
    losses = [
        m.fit(x, y, batch_size=4, shuffle=False, verbose=0).history["loss"]
        for m in (model, again)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-5)
