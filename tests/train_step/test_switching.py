"""Optimizers that switch weights, wherever a model holds them."""

import contextlib
import re
import warnings

import keras
import numpy as np
import pytest
from keras import ops
from keras_versions import multi_optimizer

from keras_regopt.optimizers import MSAM, SAM, Lookahead, ScheduleFreeSGD

on_jax = keras.backend.backend() == "jax"
RATE = 1e-3


def sam():
    return SAM(keras.optimizers.SGD(RATE), rho=0.5)


def msam():
    return MSAM(RATE, rho=0.5)


def schedule_free():
    return ScheduleFreeSGD(RATE)


class Own(keras.Model):
    """Two variables, and a train step that steps each by its own optimizer."""

    def __init__(self, rules):
        super().__init__()
        self.parts = [
            self.add_weight(shape=(3,), initializer="ones") for _ in range(2)
        ]
        # A closure, in which nobody can look.
        self.rules_of_step = lambda: rules
        self.built = True
        self.compile()

    def step(self):
        for rule, part in zip(self.rules_of_step(), self.parts, strict=True):
            if on_jax:
                # The values of the variables are Keras' own affair there.
                state = [ops.zeros(v.shape, v.dtype) for v in rule.variables]
                rule.stateless_apply(state, [ops.ones(3)], [ops.ones(3)])
            else:
                with quiet():
                    rule.apply([ops.ones(3)], [part])

    def train_step(self, *arguments):
        self.step()
        logs = {"loss": ops.zeros(())}
        return (logs, arguments[0]) if on_jax else logs


def quiet():
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


def fitted(model, batches=3):
    model.fit(np.ones((2 * batches, 1)), batch_size=2, verbose=0)
    return [ops.convert_to_numpy(v) for v in model.parts]


def rules_of(make):
    return [make(), make()]


def trained_by_hand(make, batches=3):
    """Where the same steps lead, in a loop of one's own."""
    variable, rule = keras.Variable(np.ones(3, "float32")), make()
    rule.build([variable])
    for _ in range(batches):
        rule.switch_to_training()
        rule.apply([ops.ones(3)], [variable])
        rule.switch_to_evaluation()
    return ops.convert_to_numpy(variable)


HOLDERS = {
    "attributes": lambda model, a, b: vars_of(model, first=a, second=b),
    "private": lambda model, a, b: vars_of(model, _first=a, _second=b),
    "list": lambda model, a, b: vars_of(model, rules=[a, b]),
    "dict of tuples": lambda model, a, b: vars_of(
        model, rules={"a": (a,), "b": (b,)}
    ),
}


def vars_of(model, **attributes):
    for name, value in attributes.items():
        setattr(model, name, value)


@pytest.mark.any_case
@pytest.mark.skipif(on_jax, reason="a step has no state but one optimizer's")
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("make", [sam, msam, schedule_free])
def test_fit_switches_all_optimizers_that_a_model_holds(make, holder):
    rules = rules_of(make)
    model = Own(rules)
    HOLDERS[holder](model, *rules)
    expected = trained_by_hand(make)
    for part in fitted(model):
        np.testing.assert_allclose(part, expected, rtol=1e-6)
    # A length of 0.5 in three directions, less some steps of 0.001.
    for rule in rules:
        rule.switch_to_training()
    if make is not schedule_free:
        top = ops.convert_to_numpy(model.parts[0])
        assert np.abs(top - expected).max() == pytest.approx(0.289, abs=1e-3)


@pytest.mark.skipif(on_jax, reason="a step has no state but one optimizer's")
def test_fit_switches_what_stands_in_wrappers():
    rules = [
        Lookahead(sam(), 2),
        keras.optimizers.LossScaleOptimizer(sam(), initial_scale=1.0),
    ]
    model = Own(rules)
    model.rules = rules
    for part in fitted(model, 1):
        np.testing.assert_allclose(part, 1, atol=1e-6)


@pytest.mark.any_case
@pytest.mark.parametrize("make", [sam, msam, schedule_free])
def test_warns_of_an_optimizer_that_cannot_be_switched(make):
    rules = rules_of(make)
    model = Own(rules)
    if on_jax:
        model.rules = rules
        for rule, part in zip(rules, model.parts, strict=True):
            rule.build([part])
    name = type(rules[0]).__name__
    says = f"{name} .*train step of Own.*switch_to_evaluation"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        fitted(model)
    # One for each.
    assert [bool(re.search(says, str(w.message))) for w in warned] == [True] * 2


def test_an_optimizer_within_a_multi_optimizer_is_switched():
    rule = multi_optimizer(lambda variable: inner)
    inner = sam()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(rule, "mse")
    before = ops.convert_to_numpy(model.layers[0].kernel)
    x = np.ones((6, 3), "float32")
    model.fit(x, x[:, :2], batch_size=2, verbose=0)
    # Three batches: a climb, a step and another climb.
    moved = np.abs(ops.convert_to_numpy(model.layers[0].kernel) - before)
    assert 1e-5 < moved.max() < 0.01
