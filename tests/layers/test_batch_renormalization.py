import keras
import numpy as np
import pytest
from keras_versions import since_keras

from keras_regopt.layers import BatchRenormalization
from keras_regopt.testing._backend import gradient, to_numpy

SETTINGS = {
    "r_max": 1.5,
    "d_max": 0.4,
    "warmup_steps": 3,
    "ramp_steps": 6,
    "momentum": 0.9,
    "epsilon": 1e-3,
}


def batches(count, shape=(6, 3, 4)):
    """Batches that drift, so that the corrections meet their bounds."""
    random = np.random.default_rng(0)
    for step in range(count):
        x = random.normal(size=shape) * (1 + 0.2 * step) + 0.1 * step
        yield x.astype("float32")


def paper(xs, gamma, beta):
    """Algorithm 1 of Ioffe 2017, with bounds that open linearly."""
    mean, stddev = np.zeros(len(gamma)), np.sqrt(1 + SETTINGS["epsilon"])
    for step, x in enumerate(xs):
        x = x.astype("float64").reshape(-1, x.shape[-1])
        opened = (step - SETTINGS["warmup_steps"]) / SETTINGS["ramp_steps"]
        opened = min(max(opened, 0), 1)
        r_max = 1 + opened * (SETTINGS["r_max"] - 1)
        d_max = opened * SETTINGS["d_max"]
        own_mean = x.mean(0)
        own_stddev = np.sqrt(x.var(0) + SETTINGS["epsilon"])
        r = np.clip(own_stddev / stddev, 1 / r_max, r_max)
        d = np.clip((own_mean - mean) / stddev, -d_max, d_max)
        normalized = (x - own_mean) / own_stddev * r + d
        rate = 1 - SETTINGS["momentum"]
        mean = mean + rate * (own_mean - mean)
        stddev = stddev + rate * (own_stddev - stddev)
        yield normalized * gamma + beta, mean, stddev


def test_follows_the_paper_for_twenty_steps():
    layer = BatchRenormalization(**SETTINGS)
    layer.build((None, 3, 4))
    gamma, beta = np.array([1, 2, 0.5, 3]), np.array([0, 1, -1, 2])
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    steps = zip(batches(20), paper(batches(20), gamma, beta), strict=True)
    for x, (expected, mean, _) in steps:
        outputs = to_numpy(layer(x, training=True)).reshape(-1, 4)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-4)
    # At inference, what was averaged is used as it is.
    *_, (_, mean, stddev) = paper(batches(20), gamma, beta)
    expected = (x.reshape(-1, 4) - mean) / stddev * gamma + beta
    outputs = to_numpy(layer(x)).reshape(-1, 4)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    assert int(layer.step.numpy()) == 20


def test_has_the_gradient_for_constant_corrections():
    settings = {**SETTINGS, "warmup_steps": 0, "ramp_steps": 0}
    layer = BatchRenormalization(**settings)
    (x,) = batches(1, (6, 4))
    layer(x)
    weights = np.random.default_rng(1).normal(size=x.shape)
    factors = keras.ops.convert_to_tensor(weights, "float32")
    slope = gradient(
        lambda x: keras.ops.sum(layer(x, training=True) * factors), x
    )
    # Back through (x - mean) / stddev alone, as the paper has it.
    x = x.astype("float64")
    stddev = np.sqrt(x.var(0) + settings["epsilon"])
    centered = (x - x.mean(0)) / stddev
    r = np.clip(stddev / np.sqrt(1 + settings["epsilon"]), 1 / 1.5, 1.5)
    inner = weights - weights.mean(0) - centered * (weights * centered).mean(0)
    np.testing.assert_allclose(slope, inner * r / stddev, rtol=1e-3, atol=1e-5)


@pytest.mark.any_backend
def test_begins_as_batch_normalization_whose_weights_it_takes():
    (x,) = batches(1)
    layer = BatchRenormalization(warmup_steps=10)
    plain = keras.layers.BatchNormalization()
    for normalization in (layer, plain):
        normalization.build(x.shape)
    random = np.random.default_rng(1)
    plain.set_weights([0.5 + random.random(w.shape) for w in plain.weights])
    layer.set_weights([*plain.get_weights(), np.array(0)])
    np.testing.assert_allclose(
        to_numpy(layer(x)), to_numpy(plain(x)), rtol=1e-6
    )
    outputs, expected = (to_numpy(n(x, training=True)) for n in (layer, plain))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"r_max": 0.5}, "r_max"),
        ({"d_max": -1}, "d_max"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"ramp_steps": 1.5}, "ramp_steps"),
        pytest.param(
            {"renorm": True},
            "renorm",
            marks=since_keras("3.14", "the argument"),
        ),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of BatchRenormalization"):
        BatchRenormalization(**arguments)
