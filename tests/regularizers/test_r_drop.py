import keras
import numpy as np
from small_net import (
    WEIGHTS,
    X,
    compiled,
    cross_entropy,
    divergence,
    forward,
    log_softmax,
    network,
    require_step,
    step,
)

from keras_regopt.regularizers import RDrop


def masks(count):
    """What a Dropout layer with the seed 7 multiplies with, call by call."""
    seed = keras.random.SeedGenerator(7)
    draws = [
        keras.random.dropout(keras.ops.ones((8, 4)), 0.4, seed=seed)
        for _ in range(count)
    ]
    return [keras.ops.convert_to_numpy(d).astype("float64") for d in draws]


def test_follows_the_paper_with_two_masks_a_step_and_new_ones_each_time():
    model = RDrop(network(keras.layers.Dropout(0.4, seed=7)), rate=3.0)
    compiled(model)
    weights = WEIGHTS
    drawn = masks(4)
    for first, second in (drawn[:2], drawn[2:]):
        assert not np.array_equal(first, second)
        logs = step(model)

        def terms(weights, first=first, second=second):
            z, other = (forward(weights, X, m)[1] for m in (first, second))
            p, q = log_softmax(z), log_softmax(other)
            gap = (divergence(p, q) + divergence(q, p)) / 2
            losses = (cross_entropy(z) + cross_entropy(other)) / 2
            return losses.mean(), 3 * gap.mean()

        loss, penalty = terms(weights)
        np.testing.assert_allclose(logs["penalty"], penalty, rtol=1e-4)
        np.testing.assert_allclose(logs["loss"], loss + penalty, rtol=1e-4)
        require_step(model, lambda w: sum(terms(w)), weights)
        weights = [
            keras.ops.convert_to_numpy(w).astype("float64")
            for w in model.trainable_weights
        ]


def test_nothing_is_added_where_nothing_is_random():
    plain = step(compiled(network()))
    logs = step(compiled(RDrop(network())))
    np.testing.assert_allclose(logs["penalty"], 0, atol=1e-7)
    np.testing.assert_allclose(logs["loss"], plain["loss"], rtol=1e-6)
