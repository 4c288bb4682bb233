import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_rates import rates, torch_rates

from keras_regopt.schedules import CosineDecay, LinearToZero, Repeat


@pytest.mark.any_case
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_equals_the_warm_restarts_of_torch_at_every_step(factor):
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
            o, 10, T_mult=factor
        ),
        300,
    )
    ours = Repeat(CosineDecay(1.0, 10), 10, period_factor=factor)
    np.testing.assert_allclose(rates(ours, range(300)), theirs, atol=1e-6)


@pytest.mark.any_case
@pytest.mark.parametrize("period_factor", [1.0, 2.0])
def test_equals_the_scaled_restarts_of_keras(period_factor):
    theirs = keras.optimizers.schedules.CosineDecayRestarts(
        1.0, 16, t_mul=period_factor, m_mul=0.5
    )
    ours = Repeat(CosineDecay(1.0, 16), 16, period_factor, 0.5)
    # Not at the restarts, on which side of which Keras' rounding falls.
    steps = [s for s in range(240) if s % 16]
    np.testing.assert_allclose(
        rates(ours, steps), rates(theirs, steps), atol=1e-5
    )


@pytest.mark.any_backend
@settings(max_examples=20, deadline=None)
@given(
    period=st.integers(2, 1000),
    factor=st.floats(1, 4),
    step=st.integers(0, 100_000),
)
def test_each_run_starts_at_the_top(period, factor, step):
    schedule = Repeat(LinearToZero(1.0, period), period, factor)
    start, length = 0.0, float(period)
    while start + length <= step:
        start, length = start + length, length * factor
    # A step next to a restart may fall on either side of it in float32.
    if min(step - start, start + length - step) > 1e-3 * length:
        expected = 1 - (step - start) / length
        assert float(schedule(step)) == pytest.approx(expected, abs=2e-3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"schedule": "cosine"}, "schedule"),
        ({"period": 0}, "period"),
        ({"period_factor": 0.5}, "period_factor"),
        ({"rate_factor": 0}, "rate_factor"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"schedule": 0.1, "period": 10}
    with pytest.raises(ValueError, match=f"`{name}` of Repeat must be"):
        Repeat(**{**good, **arguments})
