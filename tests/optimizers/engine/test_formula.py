import keras
import numpy as np
import pytest
from against_keras import COMPILED, arrays, step_function

from keras_regopt.optimizers import (
    LAMB,
    LARS,
    MARS,
    MSAM,
    Adam,
    DoG,
    NovoGrad,
    ParameterGroup,
    Prodigy,
)
from keras_regopt.optimizers.engine import _tensorflow

# Some of one size, which lie together as rows, and one too large for it.
SHAPES = [(3,), (3,), (4, 5), (20,), (200, 200), (5, 4), ()]


def weights():
    random = np.random.default_rng(1000)
    return [
        keras.Variable(random.normal(size=s), dtype="float32", name=f"w_{i}")
        for i, s in enumerate(SHAPES)
    ]


def train(optimizer, mode, variables):
    step = step_function(optimizer, variables, mode)
    for seed in range(20):
        random = np.random.default_rng(seed)
        gradients = {
            f"w_{i}": keras.ops.convert_to_tensor(
                random.normal(size=s), "float32"
            )
            for i, s in enumerate(SHAPES)
        }
        step([gradients[v.name] for v in variables])


@pytest.mark.any_case
@pytest.mark.parametrize("mode", COMPILED)
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [(LAMB, {"learning_rate": 0.01}), (LARS, {"trust_coefficient": 0.01})],
)
def test_variables_that_lie_together_move_as_if_alone(cls, arguments, mode):
    def make(*names):
        groups = [ParameterGroup("w_1", learning_rate=0.5)]
        return cls(
            weight_decay=0.1,
            exclude="w_3" if "w_3" in names else None,
            groups=groups if "w_1" in names else None,
            **arguments,
        )

    together, alone = weights(), weights()
    optimizer = make(*(v.name for v in together))
    train(optimizer, mode, together)
    optimizers = [make(v.name) for v in alone]
    for own, variable in zip(optimizers, alone, strict=True):
        train(own, "eager", [variable])
    for ours, expected in zip(arrays(together), arrays(alone), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=2e-6)
    # The state is that of each variable, whatever it is in memory.
    states = [o.variables[2:] for o in optimizers]
    expected = [state for own in states for state in own]
    assert len(optimizer.variables) == 2 + len(expected)
    for ours, own in zip(optimizer.variables[2:], expected, strict=True):
        assert tuple(ours.shape) == tuple(own.shape)
        np.testing.assert_allclose(*arrays([ours, own]), rtol=1e-5, atol=2e-6)


@pytest.mark.any_case
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="joins in graphs alone"
)
@pytest.mark.parametrize("cls", [DoG, MARS, MSAM, NovoGrad, Prodigy])
def test_rows_of_a_matrix_move_as_variables_of_their_own(cls, monkeypatch):
    together, alone = weights(), weights()
    joined = cls(0.01, weight_decay=0.1)
    train(joined, "graph", together)
    assert len(joined.variables) != len(joined._variables)
    monkeypatch.setattr(_tensorflow, "SMALL", -1)
    single = cls(0.01, weight_decay=0.1)
    train(single, "graph", alone)
    assert [v.path.split("/")[1] for v in joined.variables] == [
        v.path.split("/")[1] for v in single.variables
    ]
    for ours, expected in zip(
        arrays([*together, *joined.variables]),
        arrays([*alone, *single.variables]),
        strict=True,
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


class Halved(Adam):
    """A class of a user's own, which calls the step that it overrides."""

    def update_step(self, gradient, variable, learning_rate, *shared):
        self.steps = getattr(self, "steps", 0) + 1
        super().update_step(gradient / 2, variable, learning_rate, *shared)


@pytest.mark.parametrize("mode", COMPILED)
def test_an_update_step_that_overrides_a_formula_is_called(mode):
    arguments = {"weight_decay": 0.1, "epsilon": 0.5}
    halved, doubled = weights(), weights()
    optimizer = Halved(0.01, **arguments)
    train(optimizer, mode, halved)
    assert optimizer.steps >= len(SHAPES)
    # Half the gradient is half the momentum and half the root.
    train(Adam(0.01, weight_decay=0.1, epsilon=1.0), mode, doubled)
    for one, other in zip(arrays(halved), arrays(doubled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
