"""Random formulas of each element on torch, over blocks in the cache."""

import functools

import torch

from keras_regopt import _random
from keras_regopt._elementwise import formulas

# Elements of a block: a few arrays of them fit into the cache of a core.
BLOCK = 2**17
# The same where there are more arrays.
BLOCK_OF_NORMALS = 2**16


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
        if formula is formulas.scaled:
            # Here normal numbers take longer to draw again than to keep.
            ones = torch.ones_like(x)
            return x * _computed(formulas.shifted, ones, words, numbers)
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
    size = len(flat)
    if x.device.type == "cpu":
        takes_more = formula in _OF_NORMALS
        size = min(size, BLOCK_OF_NORMALS if takes_more else BLOCK)
    draws = _Draws(size, words, x.device)
    compute = _FAST.get(formula)
    if compute is None or x.dtype not in (torch.float32, torch.int32):
        compute = functools.partial(_by_the_formula, formula)
    for start in range(0, len(flat), max(size, 1)):
        part, target = (t[start : start + size] for t in (flat, y))
        draws.draw(start, len(part))
        compute(part, draws, numbers, target)
    return y.view(x.shape)


def _integer(value):
    return torch.tensor(value, dtype=torch.int32, device="cpu")


def _float(value):
    return torch.tensor(value, dtype=torch.float32, device="cpu")


# As tensors, since torch would make one of a number in every call.
_FIRST, _SECOND = map(
    _integer, map(_random.signed, (_random.FIRST, _random.SECOND))
)
_SHIFTS = {n: (_integer(n), _integer(2 ** (32 - n) - 1)) for n in (15, 16)}
_HALF, _ONE = _float(0.5), _float(1.0)


def _of_root(coefficients):
    """Those of a polynomial of 16 times what `normals_of` computes it of."""
    powers = range(len(coefficients) - 1, -1, -1)
    first, *others = (
        c * 2.0 ** (-4 * p) for c, p in zip(coefficients, powers, strict=True)
    )
    return [first, *map(_float, others)]


# The quantile of a number below zero stands with the sign turned.
_NUMERATOR = _of_root([-c for c in _random.NUMERATOR])
_DENOMINATOR = _of_root(_random.DENOMINATOR)


class _Draws:
    """The hash of `_random.hashed`, in memory that is used again and again."""

    def __init__(self, size, words, device):
        self._first, self._second = (_integer(_random.signed(w)) for w in words)
        self._base = torch.arange(size, dtype=torch.int32, device=device)
        self._base *= _random.signed(_random.WEYL)
        self._bits = torch.empty_like(self._base)
        self._other = torch.empty_like(self._base)
        self._more = None

    def draw(self, start, count):
        """Draws for the positions from `start` on."""
        self.bits, self.other = self._bits[:count], self._other[:count]
        offset = _random.signed(start * _random.WEYL & 0xFFFFFFFF)
        torch.add(self._base[:count], _integer(offset), out=self.bits)
        self.bits ^= self._first
        self._shift_in(16)
        self.bits *= _FIRST
        self.bits ^= self._second
        self._shift_in(15)
        self.bits *= _SECOND
        self._shift_in(16)

    def _shift_in(self, count):
        shift, kept = _SHIFTS[count]
        torch.bitwise_right_shift(self.bits, shift, out=self.other)
        self.other &= kept
        self.bits ^= self.other

    def floats(self):
        """The integers as floats."""
        return self.other.view(torch.float32).copy_(self.bits)

    def normals(self):
        """What `_random.normals_of` makes of the integers, as a fraction.

        Returns:
            The numerator with the sign of the number, and the denominator.
        """
        if self._more is None:
            shape = (2, len(self._base))
            self._more = self._base.new_empty(shape, dtype=torch.float32)
        signed_tail, root = self._more[:, : len(self.bits)]
        signed_tail.copy_(self.bits)
        torch.abs(signed_tail, out=root).add_(_HALF)
        root.sqrt_().sqrt_().sqrt_()
        above = self.bits.view(torch.float32)
        below = self.other.view(torch.float32)
        _polynomial(_NUMERATOR, root, above)
        _polynomial(_DENOMINATOR, root, below)
        above *= torch.copysign(_ONE, signed_tail, out=signed_tail)
        return above, below


def _polynomial(coefficients, x, target):
    first, second, *others = coefficients
    torch.add(second, x, alpha=first, out=target)
    for coefficient in others:
        torch.addcmul(coefficient, target, x, out=target)


def _by_the_formula(formula, x, draws, numbers, target):
    wide = x.to(getattr(torch, formulas.compute_dtype(x.dtype)))
    target.copy_(formula(wide, draws.bits, *numbers))


# The same as `formulas` in as few passes as torch can make of them.


def _dropped(x, draws, numbers, target):
    limit, scale, shift, fill = numbers
    draws.bits >>= 8
    moves = shift != 0 or fill != 0
    if moves:
        x = torch.add(x * scale, shift - fill)
    # The one kernel of torch that compares and chooses at once: it was made
    # for the gradient of a ReLU.
    torch.ops.aten.threshold_backward.grad_input(
        x, draws.floats(), limit, grad_input=target
    )
    if moves:
        target += fill
    else:
        target *= scale


def _scaled(x, draws, numbers, target):
    normals = torch.div(*draws.normals(), out=draws.bits.view(torch.float32))
    torch.addcmul(x, x, normals, value=numbers[0], out=target)


def _shifted(x, draws, numbers, target):
    torch.addcdiv(x, *draws.normals(), value=numbers[0], out=target)


def _integers(x, draws, numbers, target):
    target.copy_(draws.bits)


def _uniforms(x, draws, numbers, target):
    draws.bits >>= 8
    draws.bits &= 2**24 - 1
    target.copy_(draws.bits).mul_(2.0**-24)


def _normals(x, draws, numbers, target):
    torch.div(*draws.normals(), out=target)


_FAST = {
    formulas.dropped: _dropped,
    formulas.scaled: _scaled,
    formulas.shifted: _shifted,
    formulas.integers: _integers,
    formulas.uniforms: _uniforms,
    formulas.normals: _normals,
}

_OF_NORMALS = (formulas.scaled, formulas.shifted, formulas.normals)
