"""Random formulas of each element on torch, over blocks in the cache."""

import torch

from keras_regopt import _random
from keras_regopt._elementwise import formulas

# Elements of a block: a few arrays of them fit into the cache of a core.
_BLOCK = 2**17


def transformed(formula, x, key, numbers):
    """Computes a formula of each element; see `_elementwise.transformed`."""
    if x.device.type == "meta" or key.device.type == "meta":
        return torch.empty_like(x, device="meta")
    if torch.compiler.is_compiling():
        # It fuses by itself, and cannot look into blocks.
        return _plain(formula, x, key, numbers)
    words = _random.words(key.tolist())
    numbers = [n if isinstance(n, float) else n.item() for n in numbers]
    if x.requires_grad and torch.is_grad_enabled():
        return _Formula.apply(x, formula, words, numbers)
    return _computed(formula, x, words, numbers)


class _Formula(torch.autograd.Function):
    """A formula, whose gradient draws the same numbers again."""

    @staticmethod
    def forward(context, x, formula, words, numbers):
        context.given = formula, words, numbers
        return _computed(formula, x, words, numbers)

    @staticmethod
    def backward(context, upstream):
        formula, words, numbers = context.given
        slope = formulas.GRADIENTS[formula]
        if slope is not None:
            formula, numbers_of = slope
            arguments = formula, words, numbers_of(*numbers)
            # Not computed at once: it may be differentiated once more.
            upstream = _Formula.apply(upstream, *arguments)
        return upstream, None, None, None


def _plain(formula, x, key, numbers):
    dtype = formulas.compute_dtype(x.dtype)
    position = torch.arange(x.numel(), dtype=torch.int32, device=x.device)
    drawn = _random.hashed(position, *_random.words(key)).view(x.shape)
    y = formula(x.to(getattr(torch, dtype)), drawn, *numbers)
    return y.to(x.dtype)


def _computed(formula, x, words, numbers):
    flat = x.detach().reshape(-1)
    y = torch.empty_like(flat)
    # A GPU has its own ways to keep its cache.
    size = min(len(flat), _BLOCK if x.device.type == "cpu" else len(flat))
    draws = _Draws(size, words, x.device)
    compute = _FAST.get(formula, _by_the_formula)
    for start in range(0, len(flat), max(size, 1)):
        part, target = (t[start : start + size] for t in (flat, y))
        compute(formula, part, draws.at(start, len(part)), numbers, target)
    return y.view(x.shape)


class _Draws:
    """The hash of `_random.hashed` in memory that is used again and again."""

    def __init__(self, size, words, device):
        self._first, self._second = map(_random.signed, words)
        self._base = torch.arange(size, dtype=torch.int32, device=device)
        self._base *= _random.signed(_random.WEYL)
        self._x = torch.empty_like(self._base)
        self._shifted = torch.empty_like(self._base)

    def at(self, start, count):
        x = self._x[:count]
        offset = _random.signed(start * _random.WEYL & 0xFFFFFFFF)
        torch.add(self._base[:count], offset, out=x)
        x ^= self._first
        self._shift_in(x, 16)
        x *= _random.signed(_random.FIRST)
        x ^= self._second
        self._shift_in(x, 15)
        x *= _random.signed(_random.SECOND)
        self._shift_in(x, 16)
        return x

    def _shift_in(self, x, count):
        shifted = self._shifted[: len(x)]
        torch.bitwise_right_shift(x, count, out=shifted)
        shifted &= 2 ** (32 - count) - 1
        x ^= shifted


def _by_the_formula(formula, x, bits, numbers, target):
    wide = x.to(getattr(torch, formulas.compute_dtype(x.dtype)))
    target.copy_(formula(wide, bits, *numbers))


def _dropped(formula, x, bits, numbers, target):
    if x.dtype != torch.float32:
        return _by_the_formula(formula, x, bits, numbers, target)
    limit, scale, shift, fill = numbers
    bits >>= 8
    if shift or fill != 0:
        x = torch.add(x * scale, shift - fill)
    # The one kernel of torch that compares and chooses at once: it was made
    # for the gradient of a ReLU.
    torch.ops.aten.threshold_backward.grad_input(
        x, bits.to(torch.float32), limit, grad_input=target
    )
    if shift or fill != 0:
        target += fill
    else:
        target *= scale
    return target


_FAST = {formulas.dropped: _dropped}
