import keras
import numpy as np
import pytest
from against_keras import arrays

from keras_regopt import optimizers

if keras.backend.backend() != "torch":
    pytest.skip("the others have a compiler", allow_module_level=True)

import torch

from keras_regopt.optimizers.engine import _torch_parts

# Two sizes that come twice, one of many pieces, one without an entry.
SHAPES = [(3,), (3,), (4, 5), (5, 4), (), (30, 50), (0, 2)]
CLASSES = [
    optimizers.AdaBelief,
    optimizers.DoG,
    optimizers.LAMB,
    optimizers.LARS,
    optimizers.MARS,
    optimizers.MSAM,
    optimizers.NovoGrad,
    optimizers.Prodigy,
    optimizers.RMSprop,
    optimizers.ScheduleFreeAdamW,
]


def tensors(seed, shapes=SHAPES):
    random = np.random.default_rng(seed)
    return [
        torch.from_numpy(random.normal(size=s).astype("float32"))
        for s in shapes
    ]


def new_variables():
    return [keras.Variable(t, name=f"w{i}") for i, t in enumerate(tensors(99))]


@pytest.mark.parametrize("cls", CLASSES)
def test_joined_or_in_pieces_the_steps_are_those_of_each_as_a_whole(
    cls, monkeypatch
):
    monkeypatch.setattr(_torch_parts, "PIECE", 64)
    variables, wholes = new_variables(), new_variables()
    own, other = cls(0.01), cls(0.01)
    own.build(variables)
    other.build(wholes)
    values = [[v.value.clone() for v in x] for x in (wholes, other.variables)]
    for seed in range(5):
        own.apply(tensors(seed), variables)
        with torch.no_grad():
            # Without changing a tensor, so without joining any.
            values = other.stateless_apply(values[1], tensors(seed), values[0])
    expected = [*values[0], *values[1]]
    for ours, theirs in zip(
        arrays([*variables, *own.variables]), expected, strict=True
    ):
        np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_a_stateless_step_changes_no_tensor_of_the_caller():
    variables = new_variables()
    optimizer = optimizers.Adam(0.1)
    optimizer.build(variables)
    state = [v.value.clone() for v in optimizer.variables]
    before = [s.clone() for s in state]
    values, _ = optimizer.stateless_apply(state, tensors(0), tensors(99))
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))
    assert not torch.equal(values[0], tensors(99)[0])


def test_state_that_is_given_other_memory_is_read_and_written_there():
    variables, others = new_variables(), new_variables()
    own, other = optimizers.Yogi(0.01), optimizers.Yogi(0.01)
    for seed in range(4):
        own.apply(tensors(seed), variables)
        other.apply(tensors(seed), others)
        for slot in own.states("momentum"):
            slot.value.data = slot.value.data.clone()
    for ours, theirs in zip(
        arrays([*variables, *own.variables]),
        arrays([*others, *other.variables]),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_that_are_not_contiguous_make_the_same_step(monkeypatch):
    monkeypatch.setattr(_torch_parts, "PIECE", 64)
    (value,), (gradient,) = (tensors(seed, [(30, 50)]) for seed in (0, 1))
    straight, turned = keras.Variable(value), keras.Variable(value)
    turned.value.data = turned.value.data.t().contiguous().t()
    assert not turned.value.is_contiguous()
    for variable in (straight, turned):
        optimizers.AdaBelief(0.1).apply([gradient], [variable])
    np.testing.assert_array_equal(*arrays([straight, turned]))
