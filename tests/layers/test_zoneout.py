import keras
import numpy as np
import pytest
from keras_versions import since_keras

from keras_regopt.layers import Zoneout

CELLS = {
    "SimpleRNNCell": keras.layers.SimpleRNNCell,
    "GRUCell": keras.layers.GRUCell,
    "LSTMCell": keras.layers.LSTMCell,
}


def as_array(x):
    return keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))


def sequences(batch=2, steps=4, features=3):
    random = np.random.default_rng(0)
    return random.normal(size=(batch, steps, features)).astype("float32")


@pytest.mark.any_case
@pytest.mark.parametrize("cell", CELLS)
def test_follows_the_expected_state_in_inference(cell):
    plain = CELLS[cell](5)
    layer = keras.layers.RNN(
        Zoneout(plain, 0.2, cell_rate=0.6), return_sequences=True
    )
    x = sequences()
    outputs = as_array(layer(x))
    states = [np.zeros((2, 5), "float32")] * (2 if cell == "LSTMCell" else 1)
    for t in range(x.shape[1]):
        _, new = plain(
            x[:, t], [keras.ops.convert_to_tensor(s) for s in states]
        )
        new = [as_array(n) for n in (new if isinstance(new, list) else [new])]
        states = [
            rate * old + (1 - rate) * n
            for rate, old, n in zip((0.2, 0.6), states, new, strict=False)
        ]
        np.testing.assert_allclose(outputs[:, t], states[0], rtol=1e-4)


def kept_units(layer, x):
    """For each step but the first, the units whose state did not change."""
    y = as_array(layer(x, training=True))
    return y[:, 1:] == y[:, :-1]


def test_keeps_units_at_its_rate_independently_of_one_another():
    rate = 0.3
    layer = keras.layers.RNN(
        Zoneout(keras.layers.SimpleRNNCell(50), rate, seed=0),
        return_sequences=True,
    )
    x = sequences(batch=40, steps=21)
    kept, again = kept_units(layer, x), kept_units(layer, x)
    # Five standard deviations of a binomial: wrong once in two million runs.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / kept.size)
    assert kept.mean() == pytest.approx(rate, abs=tolerance)
    both = rate**2
    for one, other in [
        (kept[:, 1:], kept[:, :-1]),
        (kept[1:], kept[:-1]),
        (kept[..., 1:], kept[..., :-1]),
        (kept, again),
    ]:
        together = (one & other).mean()
        tolerance = 5 * np.sqrt(both * (1 - both) / one.size) * 1.2
        assert together == pytest.approx(both, abs=tolerance)


@pytest.mark.any_backend
def test_the_memory_of_an_lstm_has_its_own_rate():
    cell = keras.layers.LSTMCell(400)
    layer = keras.layers.RNN(
        Zoneout(cell, 0.0, cell_rate=0.8, seed=0), return_state=True
    )
    x = sequences(batch=10, steps=1)
    _, _, memory, _ = layer(x, training=True)
    kept = np.mean(as_array(memory) == 0)
    assert kept == pytest.approx(0.8, abs=5 * np.sqrt(0.16 / 4000))


@pytest.mark.any_backend
def test_draws_anew_where_examples_are_masked_in_turns():
    layer = keras.layers.RNN(
        Zoneout(keras.layers.SimpleRNNCell(64), 0.5, seed=0),
        return_sequences=True,
    )
    mask = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]], bool)
    y = as_array(layer(sequences(2, 8), mask=mask, training=True))
    kept = y[:, 1:] == y[:, :-1]
    active = np.concatenate([kept[0, :3], kept[1, 4:]])
    assert len(np.unique(active, axis=0)) == len(active)


@pytest.mark.any_backend
def test_counts_beyond_what_half_precision_holds():
    from keras_regopt.layers.zoneout import _count, _count_on

    def after(low, high):
        steps = keras.ops.convert_to_tensor([[low, high]], "bfloat16")
        return int(as_array(_count(_count_on(steps))))

    assert [after(0, 0), after(254, 0), after(255, 0)] == [1, 255, 256]
    assert [after(0, 1), after(255, 254)] == [257, 255 * 256]
    # After 65536 steps it begins again.
    assert after(255, 255) == 0


@since_keras("3.14", "masks that hold in half precision")
def test_trains_in_a_model_with_masks_dropout_and_half_precision():
    policy = "mixed_bfloat16"
    cell = keras.layers.LSTMCell(
        4, dropout=0.2, recurrent_dropout=0.2, dtype=policy
    )
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            keras.layers.Embedding(6, 3, mask_zero=True),
            keras.layers.RNN(Zoneout(cell, 0.3, seed=0), dtype=policy),
            keras.layers.Dense(1),
        ]
    )
    jit = keras.backend.backend() != "torch"
    model.compile("sgd", "mse", jit_compile=jit)
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]])
    history = model.fit(ids, np.ones((2, 1)), epochs=2, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))
    short = as_array(model(ids[:, :3]))
    np.testing.assert_allclose(as_array(model(ids)), short, rtol=1e-2)


@pytest.mark.any_backend
def test_works_in_a_stack_and_in_both_directions():
    cells = [Zoneout(keras.layers.GRUCell(3)) for _ in range(2)]
    layer = keras.layers.Bidirectional(keras.layers.RNN(cells))
    model = keras.Sequential([keras.Input((4, 3)), layer])
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(sequences(), np.ones((2, 6)), verbose=0)
    assert np.isfinite(history.history["loss"][0])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"layer": keras.layers.Dense(3)}, "layer"),
        ({"layer": keras.layers.LSTM(3)}, "layer"),
        ({"layer": keras.layers.GRUCell(3), "rate": 1.0}, "rate"),
        ({"layer": keras.layers.GRUCell(3), "cell_rate": -1}, "cell_rate"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of Zoneout must be"):
        Zoneout(**arguments)
