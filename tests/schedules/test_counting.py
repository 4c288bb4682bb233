import keras
import numpy as np
import pytest

import keras_regopt as kr
from keras_regopt.schedules import total_steps

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 24])
@pytest.mark.parametrize("drop_remainder", [False, True])
def test_counts_the_batches_of_a_loop(rows, drop_remainder):
    starts = range(0, rows, 4)
    batches = [min(4, rows - start) for start in starts]
    count = sum(size == 4 or not drop_remainder for size in batches)
    if count:
        options = {"epochs": 3, "drop_remainder": drop_remainder}
        assert total_steps(rows, 4, **options) == 3 * count
    else:
        with pytest.raises(ValueError, match="`rows` of total_steps must be"):
            total_steps(rows, 4, drop_remainder=True)


@pytest.mark.parametrize("accumulation", [1, 2, 4])
def test_equals_the_iterations_of_a_training(accumulation):
    x, y = np.ones((11, 2), "float32"), np.ones((11, 1), "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    inner = keras.optimizers.SGD(0.01)
    optimizer = kr.optimizers.GradientAccumulation(inner, accumulation)
    model.compile(optimizer if accumulation > 1 else inner, "mse")
    model.fit(x, y, batch_size=2, epochs=3, verbose=0)
    steps = total_steps(11, 2, epochs=3, accumulation=accumulation)
    assert int(inner.iterations) == steps


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("rows", 0),
        ("batch_size", 2.5),
        ("epochs", "3"),
        ("accumulation", 99),
        ("drop_remainder", 1),
    ],
)
def test_refuses_by_name(argument, value):
    options = {"rows": 8, "batch_size": 4, argument: value}
    with pytest.raises(ValueError, match=f"`{argument}` of total_steps"):
        total_steps(**options)
