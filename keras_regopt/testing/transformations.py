"""The promises of every gradient transformation."""

import functools

import keras
import numpy as np

from keras_regopt.optimizers.transformations.transformed import Transformed
from keras_regopt.testing import common, optimizers
from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._contract import Subject, require

SHAPES = [(), (3,), (4, 2), (3, 2, 2)]


def keeps_shapes_and_dtypes(subject):
    """Every tensor comes back with its shape and dtype, and finite.

    The first gradient and the first update are zero, like those of a dead unit.
    """
    for dtype in ("float32", "bfloat16", "float16"):
        inputs = _tensors(0, dtype)
        inputs[0] = keras.ops.zeros((), dtype=dtype)
        for kind, outputs in _results(subject, inputs, inputs).items():
            for a, b in zip(outputs, inputs, strict=True):
                require(
                    tuple(a.shape) == tuple(b.shape) and a.dtype == b.dtype,
                    f"{kind} of {b.shape} and {b.dtype} came back as "
                    f"{a.shape} and {a.dtype}",
                )
                require(
                    np.all(np.isfinite(to_numpy(a))),
                    f"{kind} of {dtype} are not finite",
                )


def leaves_its_inputs_alone(subject):
    """The caller's tensors have the same numbers as before."""
    gradients, updates = _tensors(1), _tensors(2)
    before = [to_numpy(x).copy() for x in gradients + updates]
    _results(subject, gradients, updates)
    for x, y in zip(gradients + updates, before, strict=True):
        require(np.array_equal(to_numpy(x), y), "an input was changed in place")


def is_linear_if_it_says_so(subject):
    """If `is_linear`, sums and multiples may be taken before or after."""
    if not subject.make().is_linear:
        return
    first, second = _tensors(3), _tensors(4)
    both = [a + 2 * b for a, b in zip(first, second, strict=True)]
    single = [_results(subject, x, x)["gradients"] for x in (first, second)]
    whole = _results(subject, both, both)["gradients"]
    for a, b, c in zip(*single, whole, strict=True):
        a, b, c = (to_numpy(x) for x in (a, b, c))
        require(
            np.allclose(a + 2 * b, c, rtol=1e-4, atol=1e-5),
            f"it says that it is linear, but {a} + 2 * {b} becomes {c}",
        )


def acts_alike_on_equal_states(subject):
    """Two copies do the same to the same tensors, so nothing is left to chance.

    The second copy comes from the configuration of the first.
    """
    made = subject.make()
    again = subject.cls.from_config(made.get_config())
    gradients, updates = _tensors(5), _tensors(6)
    results = [_results_of(t, gradients, updates) for t in (made, again)]
    for kind in results[0]:
        for a, b in zip(results[0][kind], results[1][kind], strict=True):
            require(
                np.array_equal(to_numpy(a), to_numpy(b)),
                f"the {kind} of two copies differ: {a} and {b}",
            )


class _Around(Subject):
    """A transformation around gradient descent, as an optimizer."""

    def make(self, **changes):
        inner = keras.optimizers.SGD(0.05, momentum=0.5)
        return Transformed(inner, [super().make(**changes)])


def _as_optimizer(promise):
    """The promise of an optimizer, kept around gradient descent."""

    @functools.wraps(promise, assigned=("__name__", "__doc__"))
    def promise_around(subject):
        promise(_Around(subject.cls, subject.arguments))

    return promise_around


lowers_a_parabola = _as_optimizer(optimizers.lowers_a_parabola)
trains_alike_compiled_or_not = _as_optimizer(
    optimizers.trains_alike_compiled_or_not
)
compiles_once = _as_optimizer(optimizers.compiles_once)
trains_in_mixed_precision = _as_optimizer(optimizers.trains_in_mixed_precision)
reloads_with_its_state = _as_optimizer(optimizers.reloads_with_its_state)
steps_alike_in_data_parallel = _as_optimizer(
    optimizers.steps_alike_in_data_parallel
)


def _tensors(seed, dtype="float32"):
    random = np.random.default_rng(seed)
    return [keras.ops.cast(random.normal(size=s), dtype) for s in SHAPES]


def _results(subject, gradients, updates):
    return _results_of(subject.make(), gradients, updates)


def _results_of(transformation, gradients, updates):
    variables = [
        keras.Variable(
            np.ones(g.shape), dtype=keras.backend.standardize_dtype(g.dtype)
        )
        for g in gradients
    ]
    optimizer = Transformed(keras.optimizers.SGD(0.05), [transformation])
    optimizer.build(variables)
    state = transformation.build(optimizer, variables)
    step = keras.ops.convert_to_tensor(1, "int32")
    return {
        "gradients": transformation.transform_gradients(
            list(gradients), variables, step, state
        ),
        "updates": transformation.transform_updates(
            list(updates), list(gradients), variables, step, state
        ),
    }


PROMISES = [
    *common.PROMISES,
    keeps_shapes_and_dtypes,
    leaves_its_inputs_alone,
    is_linear_if_it_says_so,
    acts_alike_on_equal_states,
    lowers_a_parabola,
    trains_alike_compiled_or_not,
    compiles_once,
    trains_in_mixed_precision,
    reloads_with_its_state,
    steps_alike_in_data_parallel,
]
