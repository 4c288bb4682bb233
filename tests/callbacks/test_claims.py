"""Two callbacks that would set the same."""

import keras
import numpy as np
import pytest

from keras_regopt.callbacks import (
    EMA,
    SWA,
    GradientNormLogger,
    GradualUnfreezing,
    HyperparameterSchedule,
    MomentumCycle,
    WeightAveraging,
)
from keras_regopt.schedules import CosineDecay, OneCycle

pytestmark = pytest.mark.any_backend

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def model():
    layers = [keras.layers.Dense(3), keras.layers.Dropout(0.5, name="drop")]
    net = keras.Sequential([keras.Input((3,)), *layers])
    net.compile(keras.optimizers.SGD(OneCycle(0.1, 8), momentum=0.9), "mse")
    return net


def rate(target="drop"):
    return HyperparameterSchedule(target, "rate", CosineDecay(0.5, 8))


PAIRS = {
    "the weights": lambda: [WeightAveraging(EMA(0.9)), WeightAveraging(SWA())],
    "what is frozen": lambda: [GradualUnfreezing(), GradualUnfreezing()],
    "the norms of the gradients": lambda: [
        GradientNormLogger(),
        GradientNormLogger(),
    ],
    "the momentum": lambda: [MomentumCycle(), MomentumCycle()],
    "`rate` of drop": lambda: [rate(), rate()],
}


@pytest.mark.parametrize("what", PAIRS)
def test_two_that_set_the_same_are_refused(what):
    with pytest.raises(ValueError, match=f"hold two that set {what}"):
        model().fit(X, X, verbose=0, callbacks=PAIRS[what]())


@pytest.mark.parametrize("what", PAIRS)
def test_one_after_the_other_may_set_it(what):
    net = model()
    for callback in PAIRS[what]():
        net.fit(X, X, verbose=0, callbacks=[callback])


@pytest.mark.parametrize("what", PAIRS)
def test_the_model_holds_no_callback_when_the_fit_is_over(what):
    net = model()
    callback = PAIRS[what]()[0]
    net.fit(X, X, verbose=0, callbacks=[callback])
    assert "_claims_of_callbacks" not in vars(net)


def test_a_fit_that_failed_leaves_no_claim():
    net = model()
    first, second = PAIRS["the weights"]()
    failing = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        net.fit(X, X, verbose=0, callbacks=[first, failing])
    net.fit(X, X, verbose=0, callbacks=[second])


def test_layers_of_one_name_may_each_have_a_schedule():
    drops = [keras.layers.Dropout(0.5, name="drop") for _ in range(2)]
    inner = keras.Sequential([keras.Input((3,)), drops[0]])
    net = keras.Sequential([inner, drops[1], keras.layers.Dense(3)])
    net.compile("sgd", "mse")
    net.fit(X, X, verbose=0, callbacks=[rate([d]) for d in drops])
