import keras
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_rates import rates

from keras_regopt.schedules import OneCycle, Warmup


def test_equals_optax_before_a_constant():
    theirs = optax.schedules.warmup_constant_schedule(0.02, 0.1, 7)
    np.testing.assert_allclose(
        rates(Warmup(0.1, 7, start=0.02), range(20)),
        [theirs(step) for step in range(20)],
        rtol=1e-6,
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "schedule",
    [
        keras.optimizers.schedules.CosineDecay(0.1, 30),
        keras.optimizers.schedules.PiecewiseConstantDecay([9], [0.1, 0.01]),
        OneCycle(0.1, 30),
        Warmup(0.1, 12),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_goes_in_a_line_to_any_schedule_and_then_is_it(schedule):
    ours = Warmup(schedule, 10, start=0.001)
    end = float(schedule(10))
    np.testing.assert_allclose(
        rates(ours, range(10)),
        np.linspace(0.001, end, 10, endpoint=False),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        rates(ours, range(10, 40)), rates(schedule, range(10, 40)), rtol=1e-6
    )


@pytest.mark.any_backend
@settings(max_examples=25, deadline=None)
@given(
    rate=st.floats(0, 10),
    start=st.floats(0, 10),
    warmup_steps=st.integers(1, 10**6),
)
def test_stays_between_its_ends(rate, start, warmup_steps):
    schedule = Warmup(rate, warmup_steps, start)
    steps = np.linspace(0, 2 * warmup_steps, 7).astype(int)
    low, high = sorted((rate, start))
    # The second term is for numbers that float32 cannot hold.
    margin = 1e-6 * high + 1e-30
    for value in rates(schedule, steps):
        assert low - margin <= value <= high + margin


@pytest.mark.any_backend
def test_a_nested_schedule_comes_back_as_itself():
    schedule = Warmup(keras.optimizers.schedules.CosineDecay(0.1, 30), 10)
    again = Warmup.from_config(schedule.get_config())
    assert isinstance(again.schedule, keras.optimizers.schedules.CosineDecay)
    np.testing.assert_array_equal(
        rates(schedule, range(40)), rates(again, range(40))
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"schedule": -0.1}, "schedule"),
        ({"schedule": "cosine"}, "schedule"),
        ({"warmup_steps": 0}, "warmup_steps"),
        ({"start": -1}, "start"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of Warmup must be"):
        Warmup(**{"schedule": 0.1, "warmup_steps": 10, **arguments})
