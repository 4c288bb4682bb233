"""Small variables that make their step on torch as one."""

import torch

from keras_regopt._precision import at_least_single
from keras_regopt.optimizers.engine import _torch_lists
from keras_regopt.optimizers.engine._formula import advanced
from keras_regopt.optimizers.engine._torch_parts import Part


class Pack(Part):
    """Small variables that are joined for the step.

    Their state lies side by side in memory from the first step on: each state
    remains a variable of its own, whose tensor is a view.
    """

    def __init__(self, optimizer, members):
        super().__init__(optimizer, members)
        self._tensors = [member.tensor for member in members]
        self._indices = [member.index for member in members]
        slots = zip(*(member.slots for member in members), strict=True)
        self._slots = [
            None if column[0] is None else _SideBySide(list(column))
            for column in slots
        ]

    def totals(self, terms, gradients, values):
        step = self._step(0.0, values)
        step.indices = self._indices
        return self._sums(terms, *self._joined(gradients), step, 1)

    def step(self, gradients, rate, values):
        optimizer, step = self._optimizer, self._step(rate, values)
        value, gradient, slots = self._joined(gradients)
        if optimizer.in_rows:
            step.indices = self._indices
            step.norm = _row_norms
            step.norms = optimizer.norms(
                self._first.index, value, gradient, _row_norms
            )
        value, states = advanced(optimizer, value, gradient, slots, step)
        for slot, state in zip(slots, states, strict=True):
            if slot is not None:
                slot.copy_(state)
        _write(self._tensors, value)

    def _joined(self, gradients):
        return (
            self._shaped(_flat(self._tensors)),
            self._shaped(_flat(gradients)),
            [
                None if slot is None else self._shaped(slot.flat())
                for slot in self._slots
            ],
        )

    def _shaped(self, flat):
        if not self._optimizer.in_rows:
            return flat
        rows = len(self._tensors)
        return flat.view(rows, flat.numel() // rows)


class _SideBySide:
    """Tensors that are views of one flat tensor.

    Args:
        tensors: A list of tensors of one dtype.
    """

    def __init__(self, tensors):
        self._tensors = tensors
        self._flat = None
        self._pointers = None

    def flat(self):
        """The flat tensor, to read and to write."""
        pointers = [t.data_ptr() for t in self._tensors]
        if self._pointers != pointers:
            # The first time, or someone has given them other memory.
            self._flat = _flat(self._tensors).clone()
            views = _torch_lists.unflattened(self._flat, self._tensors)
            for tensor, view in zip(self._tensors, views, strict=True):
                tensor.data = view
            self._pointers = [t.data_ptr() for t in self._tensors]
        return self._flat


def _flat(tensors):
    if len(tensors) == 1:
        return tensors[0].reshape(-1)
    return _torch_lists.flattened(tensors)


def _write(tensors, flat):
    _torch_lists.copy(
        tensors,
        _torch_lists.unflattened(flat.reshape(-1), tensors),
    )


def _row_norms(x):
    return torch.linalg.vector_norm(at_least_single(x), dim=1, keepdim=True)
