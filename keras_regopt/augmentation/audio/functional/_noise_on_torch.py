"""White noise on torch, a piece at a time, each in the processor's cache.

The numbers are those of `keras_regopt._random`, computed in place: passes over
the whole of a batch would take three times as long, most of it to get memory
from the system and to give it back.
"""

import torch

from keras_regopt._random import (
    DENOMINATOR,
    FIRST,
    NUMERATOR,
    SECOND,
    WEYL,
    mixed,
    signed,
)

# Values of one piece.
PIECE = 2**16

# The argument of the polynomials is this times the eighth root.
SCALE = 2.0**-4


def normals(keys, count):
    """Normal numbers, `count` for each key.

    Args:
        keys: Int32 tensor of shape `(batch,)`.
        count: An integer.

    Returns:
        Float32 tensor of shape `(batch, count)`.
    """
    result = torch.empty((len(keys), count), dtype=torch.float32)
    pieces = Pieces(keys, count)
    for row in range(0, len(keys), pieces.rows):
        pieces.write(row, result[row : row + pieces.rows])
    return result


class Pieces:
    """Writes normal numbers, with memory that is asked for but once.

    Args:
        keys: Int32 tensor of shape `(batch,)`.
        count: How many numbers each key has.
    """

    def __init__(self, keys, count):
        self.rows = max(1, min(len(keys), PIECE // count))
        self._first, self._second = keys[:, None], mixed(keys)[:, None]
        self._size = min(count, PIECE)
        self._index = torch.arange(count, dtype=torch.int32)
        self._index.mul_(signed(WEYL))
        shape = (self.rows, self._size)
        self._integers = [torch.empty(shape, dtype=torch.int32) for _ in "12"]
        self._floats = [torch.empty(shape) for _ in "123"]

    def write(self, row, out):
        """Writes the numbers of some keys, the first of them by its row."""
        for start in range(0, out.shape[1], self._size):
            piece = out[:, start : start + self._size]
            self._hash(row, start, *piece.shape)
            self._write_normals(piece)

    def _hash(self, row, start, rows, size):
        x, scratch = (part[:rows, :size] for part in self._integers)
        some = slice(row, row + rows)
        index = self._index[start : start + size]
        torch.bitwise_xor(index, self._first[some], out=x)
        _shift_in(x, 16, scratch)
        x.mul_(FIRST).bitwise_xor_(self._second[some])
        _shift_in(x, 15, scratch)
        x.mul_(signed(SECOND))
        _shift_in(x, 16, scratch)

    def _write_normals(self, out):
        """What `normals_of` makes of the integers."""
        rows, size = out.shape
        bits = self._integers[0][:rows, :size]
        sign, root, below = (part[:rows, :size] for part in self._floats)
        torch.abs(sign.copy_(bits), out=root)
        root.add_(0.5).sqrt_().sqrt_().sqrt_()
        _polynomial(DENOMINATOR, root, out=below)
        _polynomial(NUMERATOR, root, out=out)
        # Below zero it is this tail, or else the other.
        out.div_(below).mul_(sign.sign_().neg_())


def add_white(waves, keys, lengths, decibels, is_level):
    """Waveforms with white noise.

    Args:
        waves: Float32 tensor of shape `(batch, time, channels)`.
        keys: Int32 tensor of shape `(batch,)`.
        lengths: Int32 tensor of shape `(batch,)`, the valid samples.
        decibels: Float32 tensor of shape `(batch,)`.
        is_level: Whether these are the level of the noise, or else the ratio
            of the power of the waveform to that of the noise.

    Returns:
        A tensor like `waves`.
    """
    batch, time, channels = waves.shape
    count, lengths = time * channels, lengths * channels
    result = torch.empty_like(waves).view(batch, count)
    waves = waves.reshape(batch, count)
    ratio = torch.pow(10.0, decibels[:, None] / (20 if is_level else -20))
    pieces = Pieces(keys, count)
    for row in range(0, batch, pieces.rows):
        some = slice(row, row + pieces.rows)
        valid, size = waves[some], lengths[some, None]
        # The noise is made where the result is going to be.
        noise = result[some]
        pieces.write(row, noise)
        if torch.any(size < count):
            inside = torch.arange(count, dtype=torch.int32)[None] < size
            noise, valid = noise.mul_(inside), valid * inside
        wanted = size.sqrt() if is_level else _norm(valid)
        gain = ratio[some] * wanted / _norm(noise).clamp_min_(1e-20)
        torch.addcmul(waves[some], gain, noise, out=noise)
    return result.view(batch, time, channels)


def _norm(x):
    return torch.linalg.vector_norm(x, dim=1, keepdim=True)


def can_go_by_pieces(tensor):
    """Whether pieces pay: not in a compiler, which has passes of its own."""
    return (
        isinstance(tensor, torch.Tensor)
        and tensor.device.type == "cpu"
        and not tensor.requires_grad
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
    )


def _shift_in(x, count, scratch):
    torch.bitwise_right_shift(x, count, out=scratch)
    scratch.bitwise_and_(2 ** (32 - count) - 1)
    x.bitwise_xor_(scratch)


def _polynomial(coefficients, x, out):
    """Its value, by Horner's rule, of `SCALE * x`, which is a power of 2."""
    degree = len(coefficients) - 1
    scaled = [c * SCALE ** (degree - k) for k, c in enumerate(coefficients)]
    torch.mul(x, scaled[0], out=out)
    for coefficient in scaled[1:-1]:
        out.add_(coefficient).mul_(x)
    out.add_(scaled[-1])
