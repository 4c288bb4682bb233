"""The promises of every optimizer."""

import warnings

import keras
import numpy as np

from keras_regopt._keras import count_of_calls
from keras_regopt.testing import common
from keras_regopt.testing._backend import (
    backend,
    data_parallel,
    needs_compiler,
    to_numpy,
)
from keras_regopt.testing._contract import NotApplicable, require
from keras_regopt.testing._formulas import formula_keeps_shapes_and_dtypes
from keras_regopt.testing._samples import (
    data,
    dense_model,
    fit,
    modes,
    require_alike,
)
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
            result = _dtype(variable)
            require(result == dtype, f"a {dtype} variable became {result}")
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
    # A graph is traced as what is compiled, and sooner there.
    model = dense_model(optimizer, mode="graph" if "graph" in modes() else None)
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
            f"the variable {own.path} changes",
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

    # First, so that a backend without it skips at once.
    parallel = [to_numpy(w) for w in data_parallel(train).weights]
    alone = [to_numpy(w) for w in train("eager").weights]
    pairs = zip(alone, parallel, strict=True)
    # By NumPy, whose greatest of some numbers and NaN is NaN.
    worst = np.max([np.abs(a - b).max() for a, b in pairs])
    require(worst < 1e-5, f"the weights differ by {worst}")


def steps_on_halves_in_turn(subject):
    """Weights that step in turn, or join late, move by their steps alone.

    What got no gradient stays where it is, also at the end of training.
    """
    together = _moves(subject, [[0, 1, 2]] * 12)
    halves = [[0], [0], [1], [1]] * 3
    moves = _moves(subject, halves)
    require(moves[2] == 0, f"a weight without a step moved by {moves[2]}")
    for move in moves[:2]:
        require(
            0 < move < 4 * max(together),
            f"six steps, of each half in turn, moved it by {move}, and twelve "
            f"steps of all together by {max(together)}",
        )


def takes_iterations_without_state(subject):
    """Steps that are counted before there is any state move as the first do.

    Such is a file of which the counter has been read, and not the rest.
    """
    first, later = (
        _moves(subject, [[0, 1]] * 4, iterations=n)[:2] for n in (0, 50)
    )
    require(
        max(later) < 10 * max(first),
        f"steps from 50 on, without state, moved a weight by {max(later)}, and "
        f"the first ones by {max(first)}",
    )


def refuses_unknown_variables(subject):
    """A variable that it was not built with is refused in Keras' words.

    Such is one that is unfrozen before a model is compiled with the same
    optimizer as before.
    """
    known, unknown = (keras.Variable(np.ones(3, "float32")) for _ in range(2))
    optimizer = subject.make()
    optimizer.build([known])
    try:
        optimizer.apply([keras.ops.ones(3)] * 2, [known, unknown])
    except ValueError as error:
        message = str(error)
    except Exception as error:
        message = repr(error)
    else:
        message = "no error"
    require(
        message.startswith("Unknown variable"),
        f"must say which variable is unknown; got {message}",
    )


def steps_alike_under_torch_compile(subject):
    """A step that `torch.compile` has compiled is the one that it has not."""
    if backend() != "torch":
        raise NotApplicable("only torch has torch.compile")
    import torch

    torch.compiler.reset()
    alone = _two_steps(subject, lambda step: step)
    with warnings.catch_warnings():
        # It warns of functions of Keras that have a cache.
        warnings.filterwarnings("ignore", "Dynamo detected a call")
        # Without Inductor, which needs a C++ compiler and long.
        compiled = _two_steps(
            subject, lambda step: torch.compile(step, backend="aot_eager")
        )
    worst = np.max(np.abs(alone - compiled))
    require(worst < 1e-6, f"the weights differ by {worst}")


def _moves(subject, calls, iterations=0):
    """How far each of three weights moves in calls with some of them."""
    variables = [keras.Variable(np.full(3, 2.0, "float32")) for _ in range(3)]
    optimizer = subject.make()
    optimizer.learning_rate = 1e-3
    optimizer.build(variables)
    holder = optimizer
    while holder is not None and iterations:
        count_of_calls(holder).assign(iterations)
        holder = getattr(holder, "inner", None)
    for indices in calls:
        gradients = [keras.ops.ones(3) for _ in indices]
        optimizer.apply(gradients, [variables[i] for i in indices])
    optimizer.finalize_variable_values(variables)
    return [np.abs(to_numpy(v) - 2.0).max() for v in variables]


def _two_steps(subject, how):
    """A weight after two steps, each made by `how(step)`."""
    import torch

    variable = keras.Variable(np.ones((2, 2), "float32"))
    optimizer = subject.make()
    optimizer.build([variable])
    step = how(lambda gradient: optimizer.apply([gradient], [variable]))
    with torch.no_grad():
        for slopes in ([[0.5, 1.0], [2.0, -1.0]], [[1.0, -0.3], [0.5, 0.2]]):
            step(torch.tensor(slopes))
    return to_numpy(variable)


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
    # Of its value, which may differ from its attribute.
    return keras.backend.standardize_dtype(variable.value.dtype)


PROMISES = [
    *common.PROMISES,
    keeps_dtypes,
    formula_keeps_shapes_and_dtypes,
    lowers_a_parabola,
    follows_a_schedule,
    trains_alike_compiled_or_not,
    compiles_once,
    trains_in_mixed_precision,
    reloads_with_its_state,
    steps_alike_in_data_parallel,
    steps_on_halves_in_turn,
    takes_iterations_without_state,
    refuses_unknown_variables,
    steps_alike_under_torch_compile,
]
