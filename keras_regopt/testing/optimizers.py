"""What every optimizer promises."""

import keras
import numpy as np

from keras_regopt.testing import common
from keras_regopt.testing._backend import (
    data_parallel,
    needs_compiler,
    to_numpy,
)
from keras_regopt.testing._contract import require
from keras_regopt.testing._samples import data, dense_model, fit, require_alike
from keras_regopt.testing._saving import through_file


def keeps_dtypes(subject):
    """Half-precision variables stay what they are, and finite.

    The first variable has a gradient of zero, like that of a dead unit.
    """
    for dtype in ("float32", "bfloat16", "float16"):
        variables = [
            keras.Variable(np.ones(shape), dtype=dtype)
            for shape in ((), (2, 3))
        ]
        gradients = [
            keras.ops.full(v.shape, slope, dtype=dtype)
            for v, slope in zip(variables, (0.0, 0.5), strict=True)
        ]
        optimizer = subject.make()
        for _ in range(3):
            optimizer.apply(gradients, variables)
        for variable in variables:
            came = _dtype(variable)
            require(came == dtype, f"a {dtype} variable became {came}")
            require(
                np.all(np.isfinite(to_numpy(variable))),
                f"a {dtype} variable is not finite",
            )


def lowers_a_parabola(subject):
    """Forty steps at rate 0.1 more than halve a sum of squares."""
    variable = keras.Variable(np.array([2.0, -1.0, 0.5], "float32"))
    optimizer = subject.make()
    optimizer.learning_rate = 0.1
    before = np.sum(np.square(to_numpy(variable)))
    for _ in range(40):
        # A copy of the value, which is the gradient of half the sum.
        gradient = keras.ops.convert_to_tensor(to_numpy(variable))
        optimizer.apply([gradient], [variable])
    after = np.sum(np.square(to_numpy(variable)))
    require(after < before / 2, f"the sum went from {before} to {after}")


def follows_a_schedule(subject):
    """A schedule is obeyed at every step, and a constant one is like a number.

    A fall to a tenth after the third step must show in the weights.
    """
    schedules = keras.optimizers.schedules
    constant = schedules.PiecewiseConstantDecay([2], [0.1, 0.1])
    falling = schedules.PiecewiseConstantDecay([2], [0.1, 0.01])
    moves = [_trajectory(subject, rate) for rate in (0.1, constant, falling)]
    require(
        np.allclose(moves[0], moves[1], rtol=1e-5, atol=1e-6),
        "a constant schedule and the same number give different steps",
    )
    require(
        not np.allclose(moves[0], moves[2], rtol=1e-3),
        "a falling schedule gives the same steps as a constant one",
    )


def trains_alike_compiled_or_not(subject):
    """`fit` gives the same losses eagerly, in a graph and compiled."""
    require_alike(lambda mode: fit(dense_model(subject.make(), mode=mode)))


def compiles_once(subject):
    """The step is traced once, whatever is trained with it later."""
    needs_compiler()
    optimizer = subject.make()
    model = dense_model(optimizer)
    # Variables that are new in a step make TensorFlow trace it once more.
    optimizer.build(model.trainable_variables)
    traces = []
    traced = optimizer.apply
    object.__setattr__(
        optimizer,
        "apply",
        lambda *arguments: (traces.append(1), traced(*arguments))[1],
    )
    for _ in range(2):
        fit(model, passes=1)
    require(len(traces) == 1, f"two fits traced the step {len(traces)} times")


def trains_in_mixed_precision(subject):
    """Under `mixed_float16`, weights stay float32 and the loss falls."""
    optimizer = keras.optimizers.LossScaleOptimizer(subject.make())
    optimizer.learning_rate = 0.05
    model = dense_model(optimizer, dtype="mixed_float16")
    losses = fit(model, passes=8)
    require(
        np.all(np.isfinite(losses)) and losses[-1] < losses[0],
        f"the losses are {losses}",
    )
    dtypes = {_dtype(weight) for weight in model.weights}
    require(dtypes == {"float32"}, f"the weights are {dtypes}")


def reloads_with_its_state(subject):
    """A reloaded model goes on with the same numbers as the saved one."""
    model = dense_model(subject.make(), mode="eager")
    fit(model, passes=2)
    reloaded = through_file(model)
    before, after = model.optimizer.variables, reloaded.optimizer.variables
    require(
        len(before) == len(after),
        f"the optimizer comes back with {len(after)} variables instead of "
        f"{len(before)}",
    )
    for own, other in zip(before, after, strict=True):
        require(
            np.array_equal(to_numpy(own), to_numpy(other)),
            f"the variable {own.path} changes on the way",
        )
    expected, losses = (fit(m, passes=2) for m in (model, reloaded))
    require(
        np.allclose(expected, losses, rtol=1e-5),
        f"the next losses are {losses} instead of {expected}",
    )


def steps_alike_in_data_parallel(subject):
    """Two devices that share each batch make the steps of one."""

    def train(mode=None):
        model = dense_model(subject.make(), mode=mode)
        # One long epoch: to begin one on two devices takes long.
        x, y = (np.tile(array, (4, 1)) for array in data())
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        return model

    # First, so that a backend that cannot says so at once.
    parallel = [to_numpy(w) for w in data_parallel(train).weights]
    alone = [to_numpy(w) for w in train("eager").weights]
    pairs = zip(alone, parallel, strict=True)
    # By NumPy, whose greatest of some numbers and NaN is NaN.
    worst = np.max([np.abs(a - b).max() for a, b in pairs])
    require(worst < 1e-5, f"the weights differ by {worst}")


def _trajectory(subject, rate):
    random = np.random.default_rng(0)
    variable = keras.Variable(np.ones((3,), "float32"))
    optimizer = subject.make()
    optimizer.learning_rate = rate
    values = []
    for _ in range(8):
        gradient = random.normal(1, 0.1, size=(3,)).astype("float32")
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        values.append(to_numpy(variable).copy())
    return np.array(values)


def _dtype(variable):
    # Of what it holds, which may differ from what it says of itself.
    return keras.backend.standardize_dtype(variable.value.dtype)


PROMISES = [
    *common.PROMISES,
    keeps_dtypes,
    lowers_a_parabola,
    follows_a_schedule,
    trains_alike_compiled_or_not,
    compiles_once,
    trains_in_mixed_precision,
    reloads_with_its_state,
    steps_alike_in_data_parallel,
]
