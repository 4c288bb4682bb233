"""Updates of a model with new data."""

import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import update
from keras_regopt.optimizers import SAM

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(96, 3)).astype("float32")
Y = X @ np.array([[1.0], [-1.0], [0.5]], "float32")
Y = Y + RANDOM.normal(size=(96, 1)).astype("float32")
OLD, OLD_DEV = (X[:64], Y[:64]), (X[64:], Y[64:])
# Where the first input is broken, and the answer the same.
NEW = (X * np.array([0, 1, 1], "float32") + [2, 0, 0], Y)


def trained(optimizer=None, regularizer=None):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, "relu", kernel_regularizer=regularizer),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer or keras.optimizers.Adam(0.03), "mse")
    model.fit(*OLD, epochs=20, verbose=0)
    return model


def loss(model, data):
    return model.evaluate(*data, verbose=0)


def test_it_learns_the_new_and_keeps_to_the_tolerance():
    model = trained()
    before = loss(model, OLD_DEV)
    result = update(model, NEW, OLD, OLD_DEV, epochs=6)
    assert result.new_loss < result.new_losses[0]
    assert result.forgetting <= 0.1
    # It is the model's own, in single precision.
    now = loss(model, OLD_DEV)
    assert now == pytest.approx(result.old_loss, rel=1e-4)
    assert now <= 1.1 * before * (1 + 1e-4)
    assert len(result.new_losses) == len(result.old_losses) == 7


def test_a_strong_penalty_keeps_the_weights_and_is_gone_afterwards():
    model = trained(regularizer="l2")
    own = [v.regularizer for v in model.trainable_variables]
    optimizer, steps = model.optimizer, int(model.optimizer.iterations)
    before = model.get_weights()

    def moved(rate):
        model.set_weights(before)
        update(model, NEW, rate=rate, replay=0, epochs=2)
        now = model.get_weights()
        return max(
            np.abs(a - b).max() for a, b in zip(before, now, strict=True)
        )

    free, held = moved(0), moved(1000)
    # Adam moves each weight whatever the size of the gradient.
    assert held < free / 2
    assert [v.regularizer for v in model.trainable_variables] == own
    assert model.optimizer is optimizer
    assert int(optimizer.iterations) == steps
    # Without the pull, training goes on as it did.
    model.set_weights(before)
    history = model.fit(*NEW, epochs=1, verbose=0).history
    assert history["loss"][0] < 100
    assert int(optimizer.iterations) > steps


def test_losses_are_without_the_penalties_on_weights():
    model = trained(regularizer=keras.regularizers.L2(0.1))
    result = update(model, NEW, None, OLD_DEV, rate=0, epochs=1)
    error = np.mean((model.predict(OLD_DEV[0], verbose=0) - OLD_DEV[1]) ** 2)
    assert result.old_loss == pytest.approx(error, rel=1e-3)


@pytest.mark.any_backend
def test_the_weights_stay_where_nothing_is_allowed():
    model = trained()
    before = model.get_weights()
    # A noise that nothing predicts.
    noise = RANDOM.normal(size=(96, 1)) * 50
    result = update(model, (X, noise), None, OLD_DEV, tolerance=0, epochs=2)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert result.epoch == 0
    assert "are kept" in repr(result)


@pytest.mark.any_backend
def test_replay_draws_the_asked_share_of_old_rows():
    seen = []

    class Rows(keras.Sequential):
        def fit(self, x, y, **options):
            seen.append(len(x))
            return super().fit(x, y, **options)

    model = Rows([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    update(model, (X[:20], Y[:20]), OLD, replay=0.75, epochs=1)
    update(model, (X[:20], Y[:20]), OLD, replay=0, epochs=1)
    # 16 rows train, 4 measure; three quarters are 48.
    assert seen == [64, 16]


@pytest.mark.any_backend
def test_a_wrapped_optimizer_is_made_again_and_gets_the_rate():
    model = trained(SAM(keras.optimizers.SGD(0.01)))
    result = update(model, NEW, OLD, OLD_DEV, learning_rate=0.02, epochs=1)
    assert result.forgetting <= 0.1
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.any_backend
def test_a_schedule_needs_a_rate():
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 10)
    model = trained(keras.optimizers.Adam(schedule))
    with pytest.raises(ValueError, match="`learning_rate` of update"):
        update(model, NEW, epochs=1)
    update(model, NEW, learning_rate=0.01, epochs=1)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"new_data": X}, "`new_data` of update"),
        ({"new_data": (X, Y[:5])}, "`new_data` of update"),
        ({"old_data": (X,)}, "`old_data` of update"),
        ({"old_dev": (X[:1], Y[:1])}, "`old_dev` of update"),
        ({"replay": 1}, "`replay` of update"),
        ({"rate": -1}, "`rate` of update"),
        ({"tolerance": -1}, "`tolerance` of update"),
        ({"held_out": 0}, "`held_out` of update"),
        ({"model": keras.Sequential()}, "`model` of update"),
    ],
)
def test_a_wrong_argument_is_named(wrong, message):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        update(**{"model": model, "new_data": NEW, **wrong})
