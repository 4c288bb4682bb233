"""The step on torch: small variables together, large ones in pieces.

Without a compiler each operation of a formula is a pass over its tensors. On
pieces that stay in the processor's cache such a pass costs a part of one over
the memory, and on many small tensors at once a part of as many calls.
"""

import keras
import torch

from keras_regopt._keras import held_tensor, in_stateless_scope
from keras_regopt.optimizers.engine import _torch_fused
from keras_regopt.optimizers.engine._formula import advanced
from keras_regopt.optimizers.engine._norms import norm
from keras_regopt.optimizers.engine._numerics import wide
from keras_regopt.optimizers.engine._replicas import update_each
from keras_regopt.optimizers.engine._step import Step, widened

# Entries of a piece for each thread on the CPU: few enough for the second level
# of the cache, and so many that a call costs less than what it computes.
PIECE = 2**16
# On other devices, where a call costs more and there is less to gain.
PIECE_ELSEWHERE = 2**24


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
                optimizer._update,
                variables,
                gradients,
                shared=(learning_rate, values),
            )
            return
        plan = optimizer.__dict__.get("_torch_plan")
        if plan is None or not plan.fits(variables):
            plan = optimizer._torch_plan = _Plan(optimizer, variables)
        rate = getattr(learning_rate, "value", learning_rate)
        for part in plan.parts:
            part.step([gradients[i] for i in part.positions], rate, values)


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
        self.index = optimizer._get_variable_index(variable)
        self.tensor = held_tensor(variable)
        slots = optimizer._slots.of(self.index)
        self.slots = [None if s is None else held_tensor(s) for s in slots]
        kind = optimizer.kind_of(self.index, variable)
        if kind is not None and self.tensor.dtype.is_floating_point:
            has = tuple(slot is not None for slot in slots)
            kind = (self.tensor.dtype, self.tensor.device, has, *kind)
        self.kind = kind


def _parts(optimizer, kind, members):
    """The parts of a plan for the variables of one kind."""
    if kind is None:
        yield from (_Whole(optimizer, [member]) for member in members)
        return
    dtype, device, *_ = kind
    if _torch_fused.takes(optimizer, dtype, device):
        yield _Fused(optimizer, members)
        return
    limit = _piece(device)
    small = {}
    for member in members:
        size = member.tensor.numel()
        if 2 * size > limit:
            yield _Large(optimizer, [member])
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
            yield _Pack(optimizer, pack)
            pack, size = [], 0
        pack.append(member)
        size += member.tensor.numel()
    yield _Pack(optimizer, pack)


def _piece(device):
    if device.type != "cpu":
        return PIECE_ELSEWHERE
    return PIECE * torch.get_num_threads()


class _Part:
    """Variables that make their step together.

    Args:
        optimizer: The optimizer.
        members: A list of `_Member` objects, alike.
    """

    def __init__(self, optimizer, members):
        self._optimizer = optimizer
        self._members = members
        self._first = members[0]
        self.positions = [member.position for member in members]

    def _step(self, rate, values):
        """What the formula is told, but for norms."""
        first, optimizer = self._first, self._optimizer
        factor = optimizer._rate_factors[first.index]
        decay = optimizer.decay_of(first.variable)
        step = Step(first.index, rate, decay, values)
        step = widened(step, first.tensor.dtype)
        if first.tensor.device.type == "cpu":
            # A number spares the many small operations on a scalar tensor.
            step.rate = _number(step.rate)
            step.values = keras.tree.map_structure(_number, step.values)
        step.rate = step.rate * factor
        return step


class _Whole(_Part):
    """One variable, which is not cut."""

    def step(self, gradients, rate, values):
        variable = self._first.variable
        self._optimizer._update(variable, gradients[0], rate, values)


class _Fused(_Part):
    """Variables whose step is a call of torch."""

    def __init__(self, optimizer, members):
        super().__init__(optimizer, members)
        self._tensors = [member.tensor for member in members]
        columns = zip(*(member.slots for member in members), strict=True)
        self._slots = list(map(list, columns))

    def step(self, gradients, rate, values):
        dtype = self._first.tensor.dtype
        if any(g.dtype != dtype for g in gradients):
            gradients = [g.to(dtype) for g in gradients]
        step = self._step(rate, values)
        _torch_fused.step(
            self._optimizer, self._tensors, gradients, self._slots, step
        )


class _Pack(_Part):
    """Small variables that are joined for the step."""

    def __init__(self, optimizer, members):
        super().__init__(optimizer, members)
        columns = zip(
            *([m.tensor, *m.slots] for m in members),
            strict=True,
        )
        self._columns = [
            None if column[0] is None else list(column) for column in columns
        ]
        self._indices = [member.index for member in members]

    def step(self, gradients, rate, values):
        optimizer, step = self._optimizer, self._step(rate, values)
        value, *slots = (
            None if c is None else self._joined(c) for c in self._columns
        )
        gradient = self._joined(gradients)
        if optimizer.in_rows:
            step.indices = self._indices
            step.norm = _row_norms
            step.lengths = optimizer.lengths(
                self._first.index, value, gradient, _row_norms
            )
        value, states = advanced(optimizer, value, gradient, slots, step)
        for column, new in zip(self._columns, [value, *states], strict=True):
            if column is not None:
                self._write(column, new)

    def _joined(self, tensors):
        if len(tensors) == 1:
            flat = tensors[0].reshape(-1)
        else:
            flat = torch._utils._flatten_dense_tensors(tensors)
        return flat.view(len(tensors), -1) if self._optimizer.in_rows else flat

    def _write(self, tensors, flat):
        torch._foreach_copy_(
            tensors,
            torch._utils._unflatten_dense_tensors(flat.reshape(-1), tensors),
        )


class _Large(_Part):
    """One variable that makes its step piece by piece."""

    def step(self, gradients, rate, values):
        optimizer, first = self._optimizer, self._first
        tensors = [first.tensor, *first.slots]
        if not all(t is None or t.is_contiguous() for t in tensors):
            # Nothing to cut that could be written to.
            optimizer._update(first.variable, gradients[0], rate, values)
            return
        step = self._step(rate, values)
        step.lengths = optimizer.lengths(
            first.index, first.tensor, gradients[0], norm
        )
        limit = _piece(first.tensor.device)
        pieces = list(
            zip(
                *(
                    t.reshape(-1).split(limit)
                    for t in (*tensors, gradients[0])
                    if t is not None
                ),
                strict=True,
            )
        )
        norms = []
        while not self._passed(pieces, step, norms):
            pass

    def _passed(self, pieces, step, norms):
        """Makes the step, or finds the next norm that the formula needs.

        The formula runs as far as to the first norm that is not known. Of the
        whole tensor, it is then the norm of the pieces' norms.

        Args:
            pieces: A list of pieces of all tensors.
            step: A `Step`.
            norms: The norms that are known, to which one is added.

        Returns:
            Whether the step is made.
        """
        parts = []
        for piece in pieces:
            known = iter(norms)

            def of_whole(x, known=known):
                found = next(known, None)
                if found is None:
                    raise _UnknownNorm(norm(x))
                return found

            step.norm = of_whole
            *tensors, gradient = piece
            try:
                new = self._advanced(tensors, gradient, step)
            except _UnknownNorm as unknown:
                parts.append(unknown.part)
                continue
            for tensor, value in zip(tensors, new, strict=True):
                tensor.copy_(value)
        if parts:
            norms.append(torch.linalg.vector_norm(torch.stack(parts)))
        return not parts

    def _advanced(self, tensors, gradient, step):
        present = iter(tensors[1:])
        slots = [
            None if slot is None else next(present)
            for slot in self._first.slots
        ]
        value, states = advanced(
            self._optimizer, tensors[0], gradient, slots, step
        )
        return [value, *(state for state in states if state is not None)]


class _UnknownNorm(Exception):
    """Stops a formula at a norm of which only a part is known."""

    def __init__(self, part):
        self.part = part


def _row_norms(x):
    return torch.linalg.vector_norm(wide(x), dim=1, keepdim=True)


def _number(x):
    if isinstance(x, torch.Tensor) and x.is_floating_point() and not x.ndim:
        return float(x)
    return x
