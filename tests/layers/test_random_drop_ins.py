"""The layers that stand in for Keras' own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt import layers
from keras_regopt.callbacks import HyperparameterSchedule
from keras_regopt.testing._backend import data_parallel
from keras_regopt.testing._samples import compile_arguments, modes

ALL = {
    "Dropout": {"rate": 0.4},
    "SpatialDropout1D": {"rate": 0.4},
    "AlphaDropout": {"rate": 0.4},
    "GaussianDropout": {"rate": 0.4},
    "GaussianNoise": {"stddev": 0.4},
}


def made(name, **arguments):
    return getattr(layers, name)(**{**ALL[name], "seed": 1, **arguments})


def drawn(layer, x):
    return ops.convert_to_numpy(layer(x, training=True))


def model_with(layer):
    return keras.Sequential([keras.Input((5, 4)), layer], name="model")


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ALL)
def test_reads_the_file_of_keras_and_the_reverse(name, tmp_path):
    theirs = getattr(keras.layers, name)
    own = made(name)
    assert isinstance(own, theirs)
    config = own.get_config()
    assert set(config) == set(theirs.from_config(config).get_config())
    path = tmp_path / "model.weights.h5"
    for source, target in ((theirs, made), (made, theirs)):
        a, b = (
            model_with(f(name) if f is made else f(**ALL[name]))
            for f in (source, target)
        )
        a.save_weights(path)
        b.load_weights(path)


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ALL)
def test_draws_on_after_a_reload(name, tmp_path):
    layer = made(name)
    model = model_with(layer)
    x = np.ones((3, 5, 4), "float32")
    first = drawn(layer, x)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    np.testing.assert_array_equal(drawn(layer, x), drawn(again, x))
    assert not np.array_equal(first, drawn(again, x))


@pytest.mark.any_case
@pytest.mark.parametrize("name", ALL)
def test_has_the_mean_and_the_deviation_of_keras_layer(name):
    x = np.full((400, 20, 10), 2.0, "float32")
    y = drawn(made(name), x).ravel()
    theirs = drawn(getattr(keras.layers, name)(**ALL[name], seed=1), x).ravel()
    # Draws of spatial dropout are 4,000, the others 80,000.
    atol = 0.15 if name.startswith("Spatial") else 0.03
    assert y.mean() == pytest.approx(theirs.mean(), abs=atol)
    assert y.std() == pytest.approx(theirs.std(), abs=atol)


@pytest.mark.any_backend
@pytest.mark.parametrize("shape", [(None, 1, None), (3, 1, 4), [1, None, 1]])
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
def test_takes_the_shape_of_its_mask(name, shape):
    y = drawn(made(name, noise_shape=shape), np.ones((3, 5, 4), "float32"))
    for axis, size in enumerate(shape):
        if size == 1:
            first = y.take([0], axis)
            np.testing.assert_array_equal(y, np.broadcast_to(first, y.shape))
    assert len(np.unique(y)) == 2


@pytest.mark.any_case
@pytest.mark.parametrize("mode", modes()[1:] or modes())
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "GaussianDropout"])
def test_follows_a_schedule_of_its_rate_in_one_trace(name, mode):
    traces = []

    class Counted(getattr(layers, name)):
        def call(self, inputs, training=False):
            traces.append(training)
            return super().call(inputs, training)

    model = keras.Sequential(
        [keras.Input((50,)), Counted(0.5, seed=0, name="drop")]
    )
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse", **compile_arguments(mode))
    schedule = keras.optimizers.schedules.PolynomialDecay(0.0, 4, 0.8)
    callback = HyperparameterSchedule("drop", "rate", schedule)
    x = np.ones((8, 50), "float32")
    counts = []
    count = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: counts.append(len(traces))
    )
    model.fit(x, x[:, :1], epochs=4, verbose=0, callbacks=[callback, count])
    assert model.layers[0].rate == pytest.approx(0.6)
    if keras.backend.backend() != "torch":
        assert counts[0] == counts[-1]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="has replicas"
)
def test_replicas_draw_other_numbers():
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        layer = layers.Dropout(0.5, seed=0)
    x = tf.ones((4, 100))

    @tf.function
    def step():
        return strategy.run(lambda: layer(x, training=True))

    one, other = (r.numpy() for r in step().values)
    alone = drawn(layers.Dropout(0.5, seed=0), x)
    np.testing.assert_array_equal(one, alone)
    assert np.mean(one == other) == pytest.approx(0.5, abs=0.15)


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="needs two devices"
)
def test_trains_in_parallel():
    def train():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((20,)),
                layers.Dropout(0.5, seed=0),
                keras.layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
        x = np.ones((16, 20), "float32")
        model.fit(x, x[:, :1], batch_size=8, epochs=2, verbose=0)
        return model

    model = data_parallel(train)
    assert all(np.all(np.isfinite(w)) for w in model.get_weights())


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ALL)
def test_refuses_bad_arguments(name):
    (argument,) = ALL[name]
    for value in ("half", None, keras.Variable([0.1, 0.2])):
        with pytest.raises(ValueError, match=f"`{argument}` of {name} must"):
            made(name, **{argument: value})
    with pytest.raises(ValueError, match=f"argument `{argument}`"):
        made(name, **{argument: -0.1})
    with pytest.raises(ValueError, match=f"`seed` of {name} must be"):
        made(name, seed=keras.random.SeedGenerator(1))
    if name in ("AlphaDropout", "GaussianDropout"):
        with pytest.raises(ValueError, match=f"`rate` of {name} must be"):
            made(name, rate=1.0)


@pytest.mark.any_backend
def test_a_resumed_training_drops_what_it_would_have(tmp_path):
    def fresh():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((20,)),
                layers.Dropout(0.5),
                keras.layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
        return model

    x = np.random.default_rng(0).normal(size=(12, 20)).astype("float32")

    def train(model, epochs):
        model.fit(
            x, x[:, :1], batch_size=4, epochs=epochs, shuffle=False, verbose=0
        )

    whole, part = fresh(), fresh()
    train(whole, 4)
    train(part, 2)
    part.save(tmp_path / "part.keras")
    resumed = keras.saving.load_model(tmp_path / "part.keras")
    train(resumed, 2)
    for one, other in zip(
        whole.get_weights(), resumed.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="of tf.data alone"
)
def test_draws_in_tf_data():
    import tensorflow as tf

    layer = layers.Dropout(0.5, seed=0)
    data = tf.data.Dataset.from_tensor_slices(np.ones((8, 50), "float32"))
    data = data.batch(2).map(lambda x: layer(x, training=True))
    batches = [batch.numpy() for batch in data]
    assert all(set(np.unique(b)) == {0.0, 2.0} for b in batches)
    assert not np.array_equal(batches[0], batches[1])


@pytest.mark.parametrize(
    "name", [*ALL, "SpatialDropout2D", "StochasticDepth", "VariationalDropout"]
)
def test_refuses_integers(name):
    layer = getattr(layers, name)(0.5)
    shape = (2, 3, 4, 5) if name.endswith("2D") else (2, 3, 4)
    with pytest.raises(TypeError, match=f"{name} must be floats.*dtype=int32"):
        layer(np.ones(shape, "int32"), training=True)


@pytest.mark.parametrize("noise_shape", [(3, 1, 4), (2, 3), (1, 1, 1, 1)])
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
def test_refuses_a_mask_that_does_not_fit_the_inputs(name, noise_shape):
    layer = made(name, noise_shape=noise_shape)
    with pytest.raises(ValueError, match=f"`noise_shape` of {name} must be"):
        layer(np.ones((2, 3, 4), "float32"), training=True)
