import keras
import numpy as np
import pytest
from trajectories import values_of

from keras_regopt.optimizers.transformations.gradient_noise import GradientNoise
from keras_regopt.optimizers.transformations.transformed import Transformed


def noises(noise, steps=20, sizes=(20000, 20000), dtype="float32"):
    """What the noise adds to gradients of zero, an array for each step."""
    variables = [keras.Variable(np.zeros(s), dtype=dtype) for s in sizes]
    optimizer = Transformed(keras.optimizers.SGD(1.0), [noise])
    drawn = []
    for _ in range(steps):
        for variable in variables:
            variable.assign(keras.ops.zeros(variable.shape))
        zeros = [keras.ops.zeros(v.shape, dtype) for v in variables]
        optimizer.apply(zeros, variables)
        drawn.append(np.array(values_of(variables)))
    return np.array(drawn)


@pytest.mark.parametrize(("eta", "gamma"), [(0.3, 0.55), (1.0, 0.0)])
def test_has_the_variance_of_the_paper_for_twenty_steps(eta, gamma):
    drawn = noises(GradientNoise(eta, gamma, seed=1))
    variance = eta / (1 + np.arange(20)) ** gamma
    # Four standard errors of the variance of 40000 normal numbers.
    np.testing.assert_allclose(drawn.var(axis=(1, 2)), variance, rtol=0.03)
    deviation = np.sqrt(variance / 40000)
    assert np.all(np.abs(drawn.mean(axis=(1, 2))) < 4 * deviation)


def test_is_normal():
    drawn = noises(GradientNoise(1.0, 0.0, seed=1), steps=2).ravel()
    inside = [np.mean(np.abs(drawn) < bound) for bound in (1, 2, 3)]
    np.testing.assert_allclose(inside, [0.683, 0.954, 0.997], atol=0.01)


def test_every_variable_and_step_has_noise_of_its_own():
    drawn = noises(GradientNoise(1.0, seed=1), steps=4).reshape(8, -1)
    correlations = np.corrcoef(drawn) - np.eye(8)
    assert np.abs(correlations).max() < 0.04


def test_the_noise_of_neighbouring_seeds_has_nothing_in_common():
    first, second = (
        noises(GradientNoise(1.0, 0.0, seed=seed), 6, (2000,)).reshape(6, -1)
        for seed in (1, 2)
    )
    correlations = np.corrcoef(first, second)[:6, 6:]
    assert np.abs(correlations).max() < 0.12


def test_the_same_seed_gives_the_same_noise():
    first, second, other = (
        noises(GradientNoise(seed=seed), 2, (9,)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_seed_that_is_drawn_is_kept():
    noise = GradientNoise()
    again = GradientNoise.from_config(noise.get_config())
    np.testing.assert_array_equal(
        noises(noise, 2, (9,)), noises(again, 2, (9,))
    )
    assert GradientNoise().seed != noise.seed


def test_half_precision_gets_the_same_noise_rounded():
    half, single = (
        noises(GradientNoise(1.0, seed=1), 2, (99,), dtype)
        for dtype in ("bfloat16", "float32")
    )
    np.testing.assert_allclose(half, single, rtol=0.02, atol=1e-3)


def data():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    return x, x[:, :1]


@pytest.mark.any_backend
def test_goes_on_after_a_reload_as_if_there_had_been_none(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    noise = GradientNoise(0.5)
    model.compile(Transformed(keras.optimizers.SGD(0.05), [noise]), "mse")
    x, y = data()
    again = {"epochs": 3, "shuffle": False, "verbose": 0}
    model.fit(x, y, **again)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = model.fit(x, y, **again).history["loss"]
    assert reloaded.fit(x, y, **again).history["loss"] == expected


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [{"eta": -1}, {"gamma": -0.1}, {"seed": -1}, {"seed": 0.5}],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of GradientNoise must be"):
        GradientNoise(**arguments)
