import keras
import numpy as np
import pytest
import scipy.stats

from keras_regopt import _elementwise
from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._random import next_key
from keras_regopt.layers import ManifoldMixup
from keras_regopt.testing._samples import modes


def as_array(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_shares_are_drawn_from_the_beta_distribution(alpha):
    u = keras.random.uniform((20_000,), seed=0)
    shares = as_array(at_quantile(beta_quantiles(alpha), u))
    assert 0 <= shares.min() <= shares.max() <= 1
    # A right sampler fails once in ten thousand runs.
    test = scipy.stats.kstest(shares, "beta", args=(alpha, alpha))
    assert test.pvalue > 1e-4


def make(seed=0, **arguments):
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="tanh", name="first"),
            keras.layers.Dense(5, activation="tanh", name="second"),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    model = ManifoldMixup(inner, ["first", "second"], seed=seed, **arguments)
    return model


def data(batch=6):
    random = np.random.default_rng(0)
    x = random.normal(size=(batch, 4)).astype("float32")
    return x, random.integers(0, 3, batch)


def plain_step(model, x, y, share, place, order):
    """The loss of one step in NumPy, as the paper says it."""

    names = ["first", "second", "inputs"]

    def mixed(h, name):
        if name != names[place]:
            return h
        return share * h + (1 - share) * h[order]

    h = mixed(x, "inputs")
    for layer in model.model.layers:
        h = h @ as_array(layer.kernel) + as_array(layer.bias)
        h = np.tanh(h) if layer.name != "logits" else h
        h = mixed(h, layer.name)
    log_p = h - np.log(np.exp(h).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    own, other = log_p[rows, y].mean(), log_p[rows, y[order]].mean()
    return -share * own - (1 - share) * other


def drawn(model, batch):
    """What the next step will draw, from a copy of its generator."""
    state = [int(s) for s in as_array(model.seed_generator.state)]
    generator = keras.random.SeedGenerator(0)
    generator.state.assign(state)
    draws = _elementwise.uniforms(next_key(generator), (batch + 2,))
    share = float(at_quantile(beta_quantiles(model.alpha), draws[:1])[0])
    draws = as_array(draws)
    return share, int(draws[1] * 3), np.argsort(draws[2:])


def test_the_loss_is_that_of_the_paper_at_every_place():
    model = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    x, y = data()
    places = set()
    for _ in range(12):
        share, place, order = drawn(model, len(x))
        expected = plain_step(model, x, y, share, place, order)
        got = model.train_on_batch(x, y)
        assert float(got) == pytest.approx(expected, rel=1e-4)
        model.reset_metrics()
        places.add(place)
    assert places == {0, 1, 2}


@pytest.mark.parametrize("mode", modes()[1:] or ["eager"])
def test_trains_compiled_with_integer_labels_and_weights(mode):
    model = make()
    model.compile(
        keras.optimizers.Adam(0.02),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=mode == "jit",
        run_eagerly=mode == "eager",
    )
    x, y = data(16)
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, sample_weight=np.ones(16), epochs=15, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before


def test_is_the_plain_model_outside_of_its_own_training():
    model = make()
    x, _ = data()
    expected = as_array(model.model(x))
    for training in (False, True):
        np.testing.assert_array_equal(
            as_array(model(x, training=training)), expected
        )
    np.testing.assert_allclose(
        model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6
    )
    outer = keras.Sequential([keras.Input((4,)), model])
    outer.compile("sgd", "mse", run_eagerly=True)
    got = outer.train_on_batch(x, np.zeros((6, 3)))
    assert float(got) == pytest.approx(np.mean(expected**2), rel=1e-5)


def test_goes_on_alike_after_a_reload(tmp_path):
    model = make(seed=None)
    model.compile("sgd", "mse", run_eagerly=True)
    x, _ = data()
    model.fit(x, np.zeros((6, 3)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.run_eagerly = True
    losses = [
        m.fit(x, np.zeros((6, 3)), shuffle=False, epochs=2, verbose=0)
        for m in (model, again)
    ]
    np.testing.assert_allclose(
        losses[0].history["loss"], losses[1].history["loss"], rtol=1e-5
    )


def of_words(**arguments):
    inner = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(5, 3, name="words"),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    model = ManifoldMixup(inner, ["words"], **arguments)
    model.compile("sgd", "mse", run_eagerly=True)
    return model


@pytest.mark.any_backend
def test_says_that_ids_cannot_be_mixed():
    ids, y = np.ones((2, 4), "int32"), np.zeros((2, 3))
    with pytest.raises(ValueError, match="mix_inputs=False"):
        of_words().fit(ids, y, verbose=0)
    of_words(mix_inputs=False).fit(ids, y, verbose=0)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"model": keras.layers.Dense(3)}, "model"),
        ({"layer_names": ["absent"]}, "layer_names"),
        ({"layer_names": [], "mix_inputs": False}, "layer_names"),
        ({"alpha": 0}, "alpha"),
        ({"mix_inputs": 1}, "mix_inputs"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"model": make().model, "layer_names": ["first"]}
    with pytest.raises(ValueError, match=f"`{name}` of ManifoldMixup must be"):
        ManifoldMixup(**{**good, **arguments})
