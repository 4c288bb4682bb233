"""How variables make their step on torch: in pieces or in one call."""

import keras
import torch

from keras_regopt.optimizers.engine import _torch_fused
from keras_regopt.optimizers.engine._formula import advanced, prepared
from keras_regopt.optimizers.engine._norms import norm
from keras_regopt.optimizers.engine._step import Step, widened

# Entries of a piece for each thread on the CPU: few enough for the second level
# of the cache, and so many that a call costs less than what it computes.
PIECE = 2**17
# On other devices, where a call costs more and there is less to gain.
PIECE_ELSEWHERE = 2**24


def piece_size(device):
    """How many entries are computed at once on a device."""
    if device.type != "cpu":
        return PIECE_ELSEWHERE
    return PIECE * torch.get_num_threads()


class Part:
    """Variables that make their step together.

    Args:
        optimizer: The optimizer.
        members: A list of `_Member` objects, alike.
    """

    def __init__(self, optimizer, members):
        self._optimizer = optimizer
        self.members = members
        self._first = members[0]
        self.positions = [member.position for member in members]

    def _sums(self, terms, variable, gradient, slots, step, axis):
        """The sums of terms along the axes from one on."""
        found = terms(
            *prepared(self._optimizer, variable, gradient, slots, step), step
        )
        return [x.flatten(axis).sum(-1) for x in found]

    def _step(self, rate, values):
        """What the formula is told, but for norms."""
        first, optimizer = self._first, self._optimizer
        factor = optimizer.rate_factors[first.index]
        decay = optimizer.decay_of(first.variable)
        step = Step(first.index, rate, decay, values)
        step = widened(step, first.tensor.dtype)
        if first.tensor.device.type == "cpu":
            # A number spares the many small operations on a scalar tensor.
            step.rate = _number(step.rate)
            step.values = keras.tree.map_structure(_number, step.values)
        step.rate = step.rate * factor
        return step


class Whole(Part):
    """One variable, which is not cut."""

    def totals(self, terms, gradients, values):
        """The sums of terms, a list of vectors with one entry a variable."""
        first = self._first
        step = self._step(0.0, values)
        sums = self._sums(
            terms, first.tensor, gradients[0], first.slots, step, 0
        )
        return [s.reshape(1) for s in sums]

    def step(self, gradients, rate, values):
        variable = self._first.variable
        self._optimizer.step_of_variable(variable, gradients[0], rate, values)


class Fused(Part):
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


class Large(Part):
    """One variable that makes its step piece by piece."""

    def totals(self, terms, gradients, values):
        step = self._step(0.0, values)
        sums = [
            self._sums(
                terms, tensors[0], gradient, self._slots(tensors), step, 0
            )
            for *tensors, gradient in self._pieces(gradients[0])
        ]
        return [sum(column).reshape(1) for column in zip(*sums, strict=True)]

    def step(self, gradients, rate, values):
        optimizer, first = self._optimizer, self._first
        tensors = [first.tensor, *first.slots]
        if not all(t is None or t.is_contiguous() for t in tensors):
            # Nothing to cut that could be written to.
            optimizer.step_of_variable(
                first.variable, gradients[0], rate, values
            )
            return
        step = self._step(rate, values)
        step.norms = optimizer.norms(
            first.index, first.tensor, gradients[0], norm
        )
        pieces = self._pieces(gradients[0])
        if optimizer.direction is not None:
            self._step_in_halves(pieces, step)
            return
        norms = []
        while not self._passed(pieces, step, norms):
            pass

    def _step_in_halves(self, pieces, step):
        update = torch.empty(
            self._first.tensor.numel(),
            dtype=torch.promote_types(self._first.tensor.dtype, torch.float32),
            device=self._first.tensor.device,
        )
        parts = update.split(piece_size(update.device))
        for part, (*tensors, gradient) in zip(parts, pieces, strict=True):
            own, states = self._optimizer.direction(
                *prepared(
                    self._optimizer,
                    tensors[0],
                    gradient,
                    self._slots(tensors),
                    step,
                ),
                step,
            )
            part.copy_(own)
            states = [state for state in states if state is not None]
            for tensor, state in zip(tensors[1:], states, strict=True):
                tensor.copy_(state)
        rate = self._optimizer.rate_along(update, step)
        for part, (variable, *_) in zip(parts, pieces, strict=True):
            variable.sub_(part.mul_(rate))

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

    def _pieces(self, gradient):
        """Pieces of all tensors that there are, the gradient last."""
        first = self._first
        limit = piece_size(first.tensor.device)
        tensors = [first.tensor, *first.slots, gradient]
        return list(
            zip(
                *(t.reshape(-1).split(limit) for t in tensors if t is not None),
                strict=True,
            )
        )

    def _slots(self, tensors):
        """The state among the tensors of a piece, as the formula takes it."""
        present = iter(tensors[1:])
        return [
            None if slot is None else next(present)
            for slot in self._first.slots
        ]

    def _advanced(self, tensors, gradient, step):
        value, states = advanced(
            self._optimizer, tensors[0], gradient, self._slots(tensors), step
        )
        return [value, *(state for state in states if state is not None)]


class _UnknownNorm(Exception):
    """Stops a formula at a norm of which only a part is known."""

    def __init__(self, part):
        self.part = part


def _number(x):
    if isinstance(x, torch.Tensor) and x.is_floating_point() and not x.ndim:
        return float(x)
    return x
