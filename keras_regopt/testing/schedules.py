"""The promises of every learning-rate schedule."""

import keras
import numpy as np

from keras_regopt.testing import common
from keras_regopt.testing._backend import backend, compiled, in_graph, to_numpy
from keras_regopt.testing._contract import require
from keras_regopt.testing._samples import dense_model, fit
from keras_regopt.testing._saving import through_file

STEPS = (0, 1, 2, 3, 10, 99, 100, 1000, 10**6)


def gives_finite_rates(subject):
    """From the first step to far beyond the last: a finite number >= 0."""
    for step, rate in zip(STEPS, _rates(subject.make()), strict=True):
        require(
            np.isfinite(rate) and rate >= 0, f"the rate at {step} is {rate}"
        )


def takes_every_kind_of_step(subject):
    """Python numbers and integer tensors give the same float32 scalar."""
    schedule = subject.make()
    # JAX has no int64 unless it is told to.
    dtypes = ("int32",) if backend() == "jax" else ("int32", "int64")
    for step, expected in zip(STEPS, _rates(schedule), strict=True):
        kinds = {"a Python number": step}
        for dtype in dtypes:
            kinds[dtype] = keras.ops.convert_to_tensor(step, dtype)
        for kind, value in kinds.items():
            rate = schedule(value)
            require(
                keras.ops.is_tensor(rate)
                and keras.backend.standardize_dtype(rate.dtype) == "float32"
                and tuple(rate.shape) == (),
                f"the rate at step {step}, given as {kind}, is no float32 "
                f"scalar tensor: {rate!r}",
            )
            require(
                np.allclose(to_numpy(rate), expected, rtol=1e-6),
                f"the rate at step {step}, given as {kind}, is {rate} "
                f"instead of {expected}",
            )


def gives_the_same_rates_compiled(subject):
    """Neither a graph nor the backend's compiler changes a rate."""
    schedule = subject.make()
    functions = {"compiled": compiled(schedule)}
    if backend() == "tensorflow":
        functions["in a graph"] = in_graph(schedule)
    steps = keras.ops.convert_to_tensor(STEPS, "int32")
    for mode, function in functions.items():
        rates = [float(to_numpy(function(step))) for step in steps]
        require(
            np.allclose(rates, _rates(schedule), rtol=1e-5, atol=1e-9),
            f"{mode}, the rates are {rates}",
        )


def drives_an_optimizer(subject):
    """SGD moves a weight by exactly the rate, and reports it."""
    schedule = subject.make()
    optimizer = keras.optimizers.SGD(schedule)
    variable = keras.Variable(np.zeros((1,), "float32"))
    for step in range(5):
        before = to_numpy(variable).copy()
        optimizer.apply([keras.ops.ones((1,))], [variable])
        moved = float((before - to_numpy(variable))[0])
        rate = float(to_numpy(schedule(step)))
        require(
            np.isclose(moved, rate, rtol=1e-4, atol=1e-7),
            f"at step {step} the weight moved by {moved} at a rate of {rate}",
        )


def reloads(subject):
    """A reloaded model goes on at the same rate and with the same losses."""
    optimizer = keras.optimizers.SGD(subject.make())
    model = dense_model(optimizer, mode="eager")
    fit(model, passes=2)
    reloaded = through_file(model)
    rates = [
        float(to_numpy(m.optimizer.learning_rate)) for m in (model, reloaded)
    ]
    require(rates[0] == rates[1], f"the rate was and is {rates}")
    expected, losses = (fit(m, passes=2) for m in (model, reloaded))
    require(
        np.allclose(expected, losses, rtol=1e-5),
        f"the next losses are {losses} instead of {expected}",
    )


def _rates(schedule):
    rates = [keras.ops.convert_to_numpy(schedule(step)) for step in STEPS]
    # The shape is a promise of its own.
    return [float(np.ravel(rate)[0]) for rate in rates]


PROMISES = [
    *common.PROMISES,
    gives_finite_rates,
    takes_every_kind_of_step,
    gives_the_same_rates_compiled,
    drives_an_optimizer,
    reloads,
]
