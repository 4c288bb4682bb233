"""The numbers of the hash, and where their state comes from."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special, stats

from keras_regopt import _elementwise, _random
from keras_regopt.testing._backend import gradient

MASK = 0xFFFFFFFF


def finalized(x):
    """lowbias32, by NumPy."""
    x = (x ^ x >> 16) * np.uint64(0x7FEB352D) & np.uint64(MASK)
    x = (x ^ x >> 15) * np.uint64(0x846CA68B) & np.uint64(MASK)
    return x ^ x >> 16


def transcribed(seed, step, count):
    """The hash as its description has it, by NumPy, as unsigned integers."""
    left, right = np.uint64(seed), np.uint64(step)
    for constant in (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A):
        given = right + np.uint64(constant) & np.uint64(MASK)
        left, right = right, left ^ finalized(given)
    x = np.arange(count, dtype="uint64") * np.uint64(0x9E3779B1)
    x = x & np.uint64(MASK) ^ left
    x = (x ^ x >> 16) * np.uint64(0x7FEB352D) & np.uint64(MASK) ^ right
    x = (x ^ x >> 15) * np.uint64(0x846CA68B) & np.uint64(MASK)
    return x ^ x >> 16


def numpy(x):
    return ops.convert_to_numpy(x)


def key(seed, step=0):
    """A key as a generator of this backend hands it out."""
    generator = _random.Counter(seed)
    for _ in range(step):
        generator.next()
    return _random.next_key(generator)


def bits(seed, step=0, count=1000):
    return numpy(_elementwise.bits(key(seed, step), (count,)))


# More than a block of torch has.
@pytest.mark.parametrize("count", [1, 1000, 300_001])
@pytest.mark.parametrize(("seed", "step"), [(0, 0), (7, 3), (2**32 - 1, 1)])
def test_integers_are_those_of_the_transcription(seed, step, count):
    drawn = bits(seed, step, count).astype("int64") & MASK
    np.testing.assert_array_equal(drawn, transcribed(seed, step, count))


@pytest.mark.parametrize("rate", [0.0, 1e-4, 0.25, 1.0])
def test_drops_the_same_units_as_the_transcription(rate):
    x = np.random.default_rng(0).normal(size=(40, 50)).astype("float32")
    y = numpy(_elementwise.dropped(x, key(3), rate))
    steps = transcribed(3, 0, x.size).astype("uint32").view("int32") >> 8
    kept = (steps + 2**23 >= rate * 2**24).reshape(x.shape)
    expected = np.where(kept, x / max(1 - rate, 1e-9), 0)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.any_backend
def test_a_rate_that_is_a_variable_drops_what_the_number_does():
    x = np.ones((1000,), "float32")
    for rate in (0.0, 0.3, 1.0):
        variable = keras.Variable(rate, trainable=False)
        drops = [_elementwise.dropped(x, key(1), r) for r in (rate, variable)]
        np.testing.assert_allclose(*map(numpy, drops), rtol=1e-6)


def test_normal_numbers_are_the_quantiles_of_their_integers():
    edge = np.array([0, 1, 2, 1000, 2**30, 2**31 - 2, 2**31 - 1])
    integers = np.concatenate([edge, -edge - 1, bits(7, count=10**5)])
    result = numpy(_random.normals_of(ops.convert_to_tensor(integers, "int32")))
    tail = special.ndtri((np.abs(integers.astype("float64")) + 0.5) / 2**32)
    expected = np.where(integers < 0, tail, -tail)
    np.testing.assert_allclose(result, expected, atol=6e-5)
    drawn = numpy(_elementwise.normals(key(7), (10**5,)))
    np.testing.assert_allclose(drawn, expected[14:], atol=6e-5)


@pytest.mark.any_backend
def test_neighboring_seeds_and_steps_and_positions_know_nothing_of_each_other():
    # Seeds by steps by positions.
    drawn = np.stack(
        [
            [transcribed(seed, step, 4000) for step in range(8)]
            for seed in [*range(6), 2**16, 2**31]
        ]
    )
    u = drawn / 2**32
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    pairs = [(u[..., :-lag], u[..., lag:]) for lag in (1, 2, 64, 1000)]
    pairs += [(u[:-1], u[1:]), (u[:, :-1], u[:, 1:]), (u[:-1, 1:], u[1:, :-1])]
    for one, other in pairs:
        cells = (one * 16).astype(int) * 16 + (other * 16).astype(int)
        counts = np.bincount(cells.ravel(), minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.any_backend
@pytest.mark.parametrize("which", ["seed", "step"])
def test_one_bit_of_a_key_changes_half_of_the_bits(which):
    plain = transcribed(5, 9, 2000)
    for bit in range(32):
        changed = {"seed": 5, "step": 9}
        changed[which] ^= 1 << bit
        differ = plain ^ transcribed(**changed, count=2000)
        share = np.unpackbits(differ.view("uint8")).sum() / (2000 * 32)
        # Five standard deviations of 64,000 coins.
        assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(64_000)


@pytest.mark.any_backend
def test_a_seed_of_more_than_32_bits_counts_as_a_whole():
    assert _random.folded_seed(2**32 - 1) == 2**32 - 1
    seeds = [5, 5 + 2**32, 5 + 2**33, 5 + 2**64]
    folded = {_random.folded_seed(seed) for seed in seeds}
    assert len(folded) == 4
    assert all(0 <= seed < 2**32 for seed in folded)
    layer_seeds = [bits(seed).tolist() for seed in seeds]
    assert layer_seeds[0] != layer_seeds[1]


@pytest.mark.any_backend
def test_threads_draw_no_step_twice():
    from concurrent.futures import ThreadPoolExecutor

    generator = _random.Counter(0)
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: _random.next_key(generator), range(400)))
    assert sorted(int(numpy(k)[1]) for k in keys) == list(range(400))


FORMULAS = {
    "dropped": lambda x: _elementwise.dropped(x, key(1), 0.3),
    "filled": lambda x: _elementwise.dropped(x, key(1), 0.3, (0.5, 2.0), -1.0),
    "scaled": lambda x: _elementwise.scaled_by_normals(x, key(1), 0.5),
    "shifted": lambda x: _elementwise.with_normals_added(x, key(1), 0.5),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_those_of_finite_differences(name):
    # All is linear in the input, so any step will do.
    formula = FORMULAS[name]
    x = np.random.default_rng(0).normal(size=(30, 7)).astype("float32")
    weights = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    tensor = ops.convert_to_tensor(weights)
    slope = gradient(lambda x: ops.sum(formula(x) * tensor), x)
    ahead, behind = (
        numpy(formula(ops.convert_to_tensor(x + d))) for d in (1.0, -1.0)
    )
    expected = weights * (ahead - behind) / 2
    np.testing.assert_allclose(slope, expected, atol=1e-4)


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_have_gradients(name):
    formula = FORMULAS[name]
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")

    def squared_slope(x):
        # What a penalty on gradients differentiates.
        return ops.sum(slope_of(lambda x: ops.sum(formula(x) ** 3), x) ** 2)

    ahead, behind = (
        numpy(formula(ops.convert_to_tensor(x + d))) for d in (1.0, -1.0)
    )
    factor = (ahead - behind).astype("float64") / 2
    y = numpy(formula(ops.convert_to_tensor(x))).astype("float64")
    # d/dx (3 y^2 f)^2, y = f x + c.
    expected = 2 * (3 * y**2 * factor) * 6 * y * factor**2
    twice = gradient(squared_slope, x)
    np.testing.assert_allclose(twice, expected, rtol=2e-3, atol=1e-3)


def slope_of(function, x):
    """A gradient that can be differentiated."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)
    if backend == "jax":
        import jax

        return jax.grad(function)(x)
    import torch

    (slope,) = torch.autograd.grad(function(x), x, create_graph=True)
    return slope


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_drops_the_same_and_stays_half(dtype):
    x = ops.ones((300,), dtype)
    for name in FORMULAS:
        y = FORMULAS[name](x)
        assert keras.backend.standardize_dtype(y.dtype) == dtype
        whole = numpy(FORMULAS[name](ops.ones((300,))))
        half = numpy(ops.cast(y, "float32"))
        np.testing.assert_allclose(half, whole, rtol=1e-2, atol=1e-2)


on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="of TensorFlow's graphs"
)


@on_tensorflow
@pytest.mark.parametrize("rows", [0, 1, 255, 2049, 30_011])
def test_a_graph_of_any_size_draws_what_it_draws_of_one(rows):
    import tensorflow as tf

    one_key = key(4)

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def any_size(x):
        drawn = _elementwise.uniforms(one_key, tf.shape(x))
        return _elementwise.dropped(x, one_key, 0.5), drawn

    x = tf.ones([rows, 3])
    dropped, drawn = any_size(x)
    expected = _elementwise.dropped(x, one_key, 0.5)
    np.testing.assert_array_equal(dropped, expected)
    np.testing.assert_array_equal(
        drawn, _elementwise.uniforms(one_key, (rows, 3))
    )


@on_tensorflow
@pytest.mark.parametrize("jit", [False, True])
def test_a_jacobian_goes_through(jit):
    import tensorflow as tf

    one_key = key(4)

    @tf.function(jit_compile=jit)
    def jacobian(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = _elementwise.dropped(x, one_key, 0.5) * x
        return tape.jacobian(y, x)

    x = tf.reshape(tf.range(1.0, 7.0), (2, 3))
    factor = _elementwise.dropped(tf.ones((2, 3)), one_key, 0.5)
    expected = np.diag(np.ravel(2 * factor * x)).reshape(2, 3, 2, 3)
    np.testing.assert_allclose(jacobian(x), expected)


def test_logistic_numbers_are_the_log_odds_of_their_integers():
    u = (transcribed(7, 0, 10**5) >> 8) / 2**24
    expected = np.log((u + 1e-7) / (1 - u + 1e-7))
    drawn = numpy(_elementwise.logistics(key(7), (10**5,)))
    np.testing.assert_allclose(drawn, expected, rtol=1e-3, atol=1e-4)
