import re

import keras
import numpy as np
import pytest

from keras_regopt import optimizers

if keras.backend.backend() != "jax":
    pytest.skip("only JAX's compiler copies", allow_module_level=True)

import jax

from keras_regopt.optimizers.engine._norms import norms_in_blocks

SHAPE = (256, 256)


@pytest.mark.parametrize(
    "name", ["ADOPT", "DoG", "Lion", "Prodigy", "ScheduleFreeAdamW", "LAMB"]
)
def test_a_compiled_step_copies_no_variable_and_no_state(name):
    variable = keras.Variable(np.ones(SHAPE, "float32"))
    optimizer = getattr(optimizers, name)()
    optimizer.build([variable])

    def step(weights, state, gradients):
        return optimizer.stateless_apply(state, gradients, weights)

    arguments = (
        [variable.value],
        [v.value for v in optimizer.variables],
        [np.ones(SHAPE, "float32")],
    )
    jitted = jax.jit(step, donate_argnums=(0, 1))
    program = jitted.lower(*arguments).compile().as_text()
    assert not re.findall(r"= f32\[256,256\]\S* copy\(.*", program)


@pytest.mark.parametrize("size", [2**18, 2**18 + 12345, 1_000_000])
def test_norms_in_blocks_are_those_of_the_whole(size):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((2, 1, size), "float32")
    found = norms_in_blocks(lambda a, b: a * b + 1, x, y)
    expected = np.linalg.norm(x), np.linalg.norm(x * y + 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
