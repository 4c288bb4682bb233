import keras
import numpy as np
import optax
import pytest
import torch
from keras_tests import count_of_tests_that_make
from keras_versions import keras_test_module
from reference_rates import rates, torch_rates

from keras_regopt.schedules import CosineDecay

learning_rate_schedule_test = keras_test_module(
    "keras.src.optimizers.schedules.learning_rate_schedule_test"
)

# Run here as a whole: Keras' own tests, against our class.
CosineDecayTest = learning_rate_schedule_test.CosineDecayTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(
        "keras.src.optimizers.schedules.CosineDecay", CosineDecay
    )


def test_keras_own_tests_make_our_class(monkeypatch):
    made, tests = count_of_tests_that_make(
        CosineDecayTest, "CosineDecay", monkeypatch
    )
    assert made == tests >= 6


def test_equals_torch_up_to_its_last_step():
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 50, 0.1), 51
    )
    ours = rates(CosineDecay(1.0, 50, alpha=0.1), range(51))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("alpha", [0.0, 0.25])
def test_equals_optax_with_a_warm_up_at_every_step_and_beyond(alpha):
    theirs = optax.schedules.warmup_cosine_decay_schedule(
        0.01, 0.4, 8, 48, 0.4 * alpha
    )
    ours = CosineDecay(0.01, 40, alpha, warmup_target=0.4, warmup_steps=8)
    np.testing.assert_allclose(
        rates(ours, range(60)), [theirs(s) for s in range(60)], atol=1e-6
    )


def test_equals_keras_at_every_step():
    arguments = (0.1, 30, 0.2)
    options = {"warmup_target": 0.5, "warmup_steps": 6}
    theirs = keras.optimizers.schedules.CosineDecay(*arguments, **options)
    ours = CosineDecay(*arguments, **options)
    np.testing.assert_allclose(
        rates(ours, range(50)), rates(theirs, range(50)), rtol=1e-6
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"decay_steps": 0}, "decay_steps"),
        ({"alpha": 2}, "alpha"),
        ({"warmup_target": -1}, "warmup_target"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"warmup_steps": 3}, "warmup_target"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 1, "decay_steps": 3}
    with pytest.raises(ValueError, match=f"`{name}` of CosineDecay must be"):
        CosineDecay(**{**good, **arguments})
