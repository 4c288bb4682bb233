"""Runs of our optimizers and of Keras' that must give the same numbers."""

import unittest

import keras
import numpy as np
import pytest

# The last one is too large to lie together with others.
SHAPES = [(), (3,), (4, 5), (2, 3, 4), (200, 200)]

# The ways to run a step; more names than ways would run one of them twice.
COMPILED = {
    "tensorflow": ["graph", "jit"],
    "jax": ["jit"],
    "torch": ["eager"],
}[keras.backend.backend()]
# A graph is traced as what is compiled.
MODES = list(dict.fromkeys(["eager", COMPILED[-1]]))


def last_everywhere(*cases):
    """The cases of a test, all for one backend and the last one for each."""
    *others, last = cases
    return [
        *(pytest.param(case, marks=pytest.mark.any_backend) for case in others),
        last,
    ]


def random_arrays(seed):
    random = np.random.default_rng(seed)
    return [random.normal(size=s).astype("float32") for s in SHAPES]


def new_variables(dtype="float32"):
    return [
        keras.Variable(value, dtype=dtype, name=f"weight_{i}")
        for i, value in enumerate(random_arrays(1000))
    ]


def step_function(optimizer, variables, mode):
    """A function of gradients that makes one step in a mode of execution."""
    backend = keras.backend.backend()
    if mode == "eager" or backend == "torch":
        return lambda gradients: optimizer.apply(gradients, variables)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(
            lambda gradients: optimizer.apply(gradients, variables),
            jit_compile=mode == "jit",
        )
    import jax

    optimizer.build(variables)
    compiled = jax.jit(optimizer.stateless_apply)

    def step(gradients):
        state = optimizer.variables
        values, states = compiled(
            [v.value for v in state], gradients, [v.value for v in variables]
        )
        for variable, value in zip(
            [*variables, *state], [*values, *states], strict=True
        ):
            variable.assign(value)

    return step


def train(optimizer, mode="eager", steps=20, variables=None, first=0):
    variables = variables or new_variables()
    step = step_function(optimizer, variables, mode)
    for seed in range(first, first + steps):
        step([keras.ops.convert_to_tensor(g) for g in random_arrays(seed)])
    return variables


def arrays(variables):
    return [np.asarray(keras.ops.convert_to_numpy(v)) for v in variables]


def assert_alike(ours, theirs, rtol=1e-5, atol=2e-6):
    assert len(ours) == len(theirs)
    for a, b in zip(arrays(ours), arrays(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def assert_follows_keras(
    cls, mode, same_paths=True, state_atol=2e-6, **arguments
):
    """Twenty steps: the same weights and the same state."""
    own = cls(learning_rate=0.01, **arguments)
    other = getattr(keras.optimizers, cls.__name__)(
        learning_rate=0.01, name=own.name, **arguments
    )
    assert_alike(train(own, mode), train(other))
    assert_alike(own.variables, other.variables, atol=state_atol)
    if same_paths:
        paths = [v.path for v in other.variables]
        assert [v.path for v in own.variables] == paths


def keras_tests_make_ours(module, test_case, name, monkeypatch):
    """Whether all of Keras' tests of a class make the class that we put in."""

    class Broken(getattr(module, name)):
        def __init__(self, *arguments, **options):
            raise NotImplementedError("ours was made")

    monkeypatch.setattr(module, name, Broken)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(test_case)
    outcome = unittest.TestResult()
    tests.run(outcome)
    made = [error for _, error in outcome.errors if "ours was made" in error]
    return len(made) == tests.countTestCases() >= 5
