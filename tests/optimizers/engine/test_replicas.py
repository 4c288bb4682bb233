"""Keras' base arguments on several devices, and with weights that freeze."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.optimizers import Adam, RAdam
from keras_regopt.testing._backend import data_parallel, to_numpy
from keras_regopt.testing._contract import NotApplicable
from keras_regopt.testing._samples import data, dense_model, fit


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (Adam, {"gradient_accumulation_steps": 2, "clipnorm": 0.5}),
        (RAdam, {"use_ema": True, "ema_momentum": 0.5}),
        (
            RAdam,
            {
                "use_ema": True,
                "ema_momentum": 0.5,
                "ema_overwrite_frequency": 3,
                "gradient_accumulation_steps": 2,
                "weight_decay": 0.1,
            },
        ),
    ],
)
def test_two_devices_accumulate_and_average_as_one_does(cls, arguments):
    def train():
        model = dense_model(cls(0.1, **arguments))
        x, y = (np.tile(array, (4, 1)) for array in data())
        # Eight batches: in the end, some gradients wait for a step.
        model.fit(x[:28], y[:28], batch_size=4, shuffle=False, verbose=0)
        return [
            to_numpy(w) for w in [*model.weights, *model.optimizer.variables]
        ]

    try:
        parallel = data_parallel(train)
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    for own, expected in zip(parallel, train(), strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-5)


def test_an_average_comes_into_its_own_variable_where_others_are_frozen():
    variables = [keras.Variable(np.full(3, v, "float32")) for v in (1, 2)]
    optimizer = Adam(0.1, use_ema=True)
    optimizer.build(variables)
    for _ in range(2):
        optimizer.apply([ops.ones(3)] * 2, variables)
    averages = [to_numpy(a) for a in optimizer._model_variables_moving_average]
    before = to_numpy(variables[0])
    optimizer.finalize_variable_values(variables[1:])
    np.testing.assert_array_equal(to_numpy(variables[0]), before)
    np.testing.assert_array_equal(to_numpy(variables[1]), averages[1])
    # 0.1 each step, of which the average has seen a hundredth of the second.
    np.testing.assert_allclose(averages[1], 1.899, atol=1e-5)


def test_trains_on_after_the_averages_took_the_place_of_the_weights():
    model = dense_model(Adam(0.1, use_ema=True))
    fit(model, passes=1)
    averaged = [to_numpy(w) for w in model.trainable_variables]
    fit(model, passes=1)
    moved = [
        np.abs(to_numpy(w) - a).max()
        for w, a in zip(model.trainable_variables, averaged, strict=True)
    ]
    # The average follows four steps of 0.1 by a hundredth each.
    assert 0 < max(moved) < 0.02
