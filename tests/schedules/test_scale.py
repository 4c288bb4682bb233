import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.schedules import OneCycle, Warmup
from keras_regopt.schedules.scale import Scale

SCHEDULES = {
    "number": 0.3,
    "exponential": keras.optimizers.schedules.ExponentialDecay(0.3, 7, 0.5),
    "staircase": keras.optimizers.schedules.ExponentialDecay(
        0.3, 7, 0.5, staircase=True
    ),
    "cosine": keras.optimizers.schedules.CosineDecay(
        0.0, 30, warmup_target=0.3, warmup_steps=5
    ),
    "piecewise": keras.optimizers.schedules.PiecewiseConstantDecay(
        [5, 20], [0.3, 0.2, 0.1]
    ),
    "warmup": Warmup(0.3, 10),
    "one_cycle": OneCycle(0.3, 40),
}


# JAX has no int64 unless asked for it.
STEPS = ["int32"] if keras.backend.backend() == "jax" else ["int32", "int64"]


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("dtype", STEPS)
def test_is_the_schedule_times_the_factor_at_every_step(kind, dtype):
    schedule = SCHEDULES[kind]
    scaled = Scale(schedule, 0.25)
    for number in (0, 1, 5, 6, 20, 39, 40, 100):
        step = ops.convert_to_tensor(number, dtype=dtype)
        rate = schedule if kind == "number" else float(schedule(step))
        value = scaled(step)
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
        np.testing.assert_allclose(float(value), 0.25 * rate, rtol=1e-6)
        np.testing.assert_allclose(float(scaled(number)), rate / 4, rtol=1e-6)


@pytest.mark.any_backend
def test_hands_on_the_step_as_it_came():
    class Counting(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            self.step = step
            return 1

    schedule = Counting()
    step = ops.convert_to_tensor(2**24 + 1, dtype="int32")
    assert float(Scale(schedule, 0.5)(step)) == 0.5
    assert schedule.step is step


@pytest.mark.any_backend
def test_a_scale_of_a_scale_becomes_one():
    inner = SCHEDULES["exponential"]
    scaled = Scale(Scale(Scale(inner, 0.5), 0.5), 0.1)
    assert scaled.schedule is inner
    assert scaled.factor == 0.025
    np.testing.assert_allclose(float(scaled(0)), 0.0075, rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", SCHEDULES)
def test_survives_serialization(kind):
    scaled = Scale(SCHEDULES[kind], 0.25)
    config = json.loads(
        json.dumps(keras.optimizers.schedules.serialize(scaled))
    )
    copied = keras.optimizers.schedules.deserialize(config)
    assert type(copied) is Scale
    assert copied.get_config() == scaled.get_config()
    assert float(copied(9)) == float(scaled(9))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("argument", "schedule", "factor"),
    [
        ("schedule", "fast", 0.5),
        ("schedule", -0.1, 0.5),
        ("schedule", None, 0.5),
        ("factor", 0.1, -1),
        ("factor", 0.1, float("inf")),
    ],
)
def test_a_bad_argument_is_refused(argument, schedule, factor):
    with pytest.raises(ValueError, match=f"`{argument}` of Scale must be"):
        Scale(schedule, factor)
