"""A gap between groups that was planted, and a training that narrows it."""

import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import GroupMonitor
from keras_regopt.regularizers import MinDiff

pytestmark = pytest.mark.any_backend


def planted(rows, seed):
    """Negatives of group 1 look like positives in the second feature."""
    rng = np.random.default_rng(seed)
    group, y = rng.integers(0, 2, (2, rows))
    x = rng.normal(size=(rows, 6)).astype("float32")
    x[:, 0] += 2 * y
    x[:, 1] += 2 * np.where(group == 1, 1, y)
    return x, y, group


def train(rate, seed):
    """Gap of the false positive rates, and accuracy, on dev data."""
    keras.utils.set_random_seed(seed)
    x, y, group = planted(2000, seed)
    x_dev, y_dev, group_dev = planted(2000, 100 + seed)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    inputs = x
    if rate:
        model = MinDiff(model, rate=rate)
        inputs = {"inputs": x, "group": np.where(y == 0, group, -1)}
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    monitor = GroupMonitor(
        x_dev,
        y_dev,
        group_dev,
        "false_positive_rate",
        batch_size=500,
        every=15,
        verbose=0,
    )
    history = model.fit(
        inputs, y, batch_size=256, epochs=15, verbose=0, callbacks=[monitor]
    ).history
    answers = model.predict(x_dev, batch_size=500, verbose=0)[:, 0] > 0.5
    gap = history["group_gap_false_positive_rate"][0]
    return gap, np.mean(answers == y_dev), monitor.p_value


def test_min_diff_narrows_a_planted_gap():
    plain = np.array([train(0.0, seed) for seed in range(3)])
    narrowed = np.array([train(5.0, seed) for seed in range(3)])
    print(plain.mean(axis=0), narrowed.mean(axis=0))
    # The planted gap is seen in each of them.
    assert (plain[:, 0] > 0.1).all()
    assert (plain[:, 2] < 0.01).all()
    # At most two thirds of it are left, for three points of accuracy.
    assert narrowed[:, 0].mean() < 0.67 * plain[:, 0].mean()
    assert narrowed[:, 1].mean() > plain[:, 1].mean() - 0.03
