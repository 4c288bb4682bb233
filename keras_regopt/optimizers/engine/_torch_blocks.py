"""The step on torch: small variables together, large ones in pieces.

Without a compiler each operation of a formula is a pass over its tensors. On
pieces that stay in the processor's cache such a pass costs a part of one over
the memory, and on many small tensors at once a part of as many calls.
"""

import torch

from keras_regopt._keras import held_tensor, in_stateless_scope, index_of
from keras_regopt.optimizers.engine import _torch_fused
from keras_regopt.optimizers.engine._replicas import update_each
from keras_regopt.optimizers.engine._torch_pack import Pack
from keras_regopt.optimizers.engine._torch_parts import (
    Fused,
    Large,
    Whole,
    piece_size,
)


def update(optimizer, gradients, variables, learning_rate):
    """Makes the step of all variables.

    Args:
        optimizer: The optimizer.
        gradients: The gradients, complete.
        variables: The variables that they belong to.
        learning_rate: The learning rate.
    """
    with torch.no_grad():
        values = optimizer.step_values(gradients, variables, learning_rate)
        if in_stateless_scope():
            # There, no tensor may change.
            update_each(
                optimizer,
                optimizer.step_of_variable,
                variables,
                gradients,
                shared=(learning_rate, values),
            )
            return
        plan = _plan(optimizer, variables)
        rate = getattr(learning_rate, "value", learning_rate)
        for part in plan.parts:
            part.step([gradients[i] for i in part.positions], rate, values)


def totals(optimizer, terms, gradients, variables, values):
    """The sums of terms over each variable; see `_totals.py`.

    Returns:
        A list of vectors.
    """
    plan = _plan(optimizer, variables)
    indices, columns = [], []
    with torch.no_grad():
        for part in plan.parts:
            own = [gradients[i] for i in part.positions]
            columns.append(part.totals(terms, own, values))
            indices += [member.index for member in part.members]
        positions = torch.tensor(indices, device=columns[0][0].device)
        found = []
        for sums in zip(*columns, strict=True):
            joined = torch.cat([s.float() for s in sums])
            vector = joined.new_zeros(len(optimizer.model_variables))
            found.append(vector.index_copy_(0, positions, joined))
    return found


def _plan(optimizer, variables):
    plan = optimizer.__dict__.get("torch_plan")
    if plan is None or not plan.fits(variables):
        plan = optimizer.torch_plan = _Plan(optimizer, variables)
    return plan


class _Plan:
    """What is done with which variables; kept, since it takes long to find.

    Args:
        optimizer: The optimizer.
        variables: The variables of a step.
    """

    def __init__(self, optimizer, variables):
        self._ids = list(map(id, variables))
        self._tensors = list(map(held_tensor, variables))
        kinds = {}
        for position, variable in enumerate(variables):
            member = _Member(optimizer, position, variable)
            kinds.setdefault(member.kind, []).append(member)
        self.parts = [
            part
            for kind, members in kinds.items()
            for part in _parts(optimizer, kind, members)
        ]

    def fits(self, variables):
        return list(map(id, variables)) == self._ids and all(
            held_tensor(v) is t
            for v, t in zip(variables, self._tensors, strict=True)
        )


class _Member:
    """A variable in a plan."""

    def __init__(self, optimizer, position, variable):
        self.position = position
        self.variable = variable
        self.index = index_of(optimizer, variable)
        self.tensor = held_tensor(variable)
        slots = optimizer.slots.of(self.index)
        self.slots = [None if s is None else held_tensor(s) for s in slots]
        kind = optimizer.kind_of(self.index, variable)
        if kind is not None and self.tensor.dtype.is_floating_point:
            has = tuple(slot is not None for slot in slots)
            kind = (self.tensor.dtype, self.tensor.device, has, *kind)
        self.kind = kind


def _parts(optimizer, kind, members):
    """The parts of a plan for the variables of one kind."""
    if kind is None:
        yield from (Whole(optimizer, [member]) for member in members)
        return
    dtype, device, *_ = kind
    if _torch_fused.takes(optimizer, dtype, device):
        yield Fused(optimizer, members)
        return
    limit = piece_size(device)
    small = {}
    for member in members:
        size = member.tensor.numel()
        if 4 * size > limit:
            yield Large(optimizer, [member])
        else:
            key = size if optimizer.in_rows else None
            small.setdefault(key, []).append(member)
    for alike in small.values():
        yield from _packs(optimizer, alike, limit)


def _packs(optimizer, members, limit):
    """Small variables in packs of the size of a piece."""
    pack, size = [], 0
    for member in members:
        if pack and size + member.tensor.numel() > limit:
            yield Pack(optimizer, pack)
            pack, size = [], 0
        pack.append(member)
        size += member.tensor.numel()
    yield Pack(optimizer, pack)
