"""The linear algebra of SOAP: factors, their eigenbases, and rotations.

A *basis* of a tensor is a list with an orthogonal matrix for each axis, or
`None` for an axis that is left as it is.
"""

import keras
from keras import ops

# An eigenvalue below this fraction of the largest one is mere rounding.
NEGLIGIBLE = 1e-6


def merged_shape(shape, limit):
    """A shape whose neighbouring axes are joined up to a limit."""
    merged, size = [], 1
    for length in shape:
        if size * length <= limit:
            size *= length
        elif size > 1:
            merged.append(size)
            size = length
        else:
            merged.append(length)
    if size > 1 or not merged:
        merged.append(size)
    return tuple(merged)


def factor(x, axis):
    """The products of the slices along an axis; of a matrix, `x @ x.T`."""
    others = [i for i in range(len(x.shape)) if i != axis]
    return ops.tensordot(x, x, axes=[others, others])


def rotate(x, basis, inverse=False):
    """The coordinates of a tensor in a basis, or the inverse rotation.

    Args:
        x: A tensor.
        basis: A list of a matrix or `None` for each axis.
        inverse: Whether `x` holds the coordinates and the tensor is wanted.
    """
    if all(matrix is None for matrix in basis):
        return x
    # Each product drops the first axis and appends one at the end.
    for matrix in basis:
        if matrix is None:
            x = ops.moveaxis(x, 0, -1)
        else:
            x = ops.tensordot(x, matrix, axes=[[0], [1 if inverse else 0]])
    return x


def first_basis(factors):
    """The eigenvectors of each factor, by falling eigenvalue."""
    return [
        None if matrix is None else _eigenvectors(matrix) for matrix in factors
    ]


def _eigenvectors(matrix):
    """Eigenvectors that do not depend on rounding where they are not unique.

    The first factors seldom have full rank, and any vectors that are orthogonal
    to the others are eigenvectors for the eigenvalue zero. A decomposition
    would return ones that differ between devices. Here these are the unit
    vectors that lie farthest from the others, made orthogonal to them.
    """
    values, vectors = ops.eigh(matrix)
    values, vectors = ops.flip(values), ops.flip(vectors, axis=1)
    size = matrix.shape[0]
    position = ops.arange(size)
    certain = values > NEGLIGIBLE * values[0]
    rank = ops.sum(ops.cast(certain, position.dtype))
    known = vectors * ops.cast(certain, vectors.dtype)
    identity = ops.eye(size, dtype=vectors.dtype)
    rest = identity - ops.matmul(known, ops.transpose(known))
    # Among equals the first, so that rounding does not decide here either.
    bonus = ops.cast(position, vectors.dtype) * (1e-2 / size)
    order = ops.argsort(bonus - ops.diagonal(rest))
    chosen = ops.take(order, ops.maximum(position - rank, 0))
    completed = ops.where(certain, vectors, ops.take(rest, chosen, axis=1))
    return ops.qr(completed)[0]


def next_basis(factors, basis):
    """Turns a basis towards the eigenvectors by one power iteration.

    Vectors whose new direction would be mere rounding stay as they are.

    Args:
        factors: A list of a symmetric matrix or `None` for each axis.
        basis: Their present basis.

    Returns:
        The next basis, and for each axis the order of its old vectors by
        falling eigenvalue, or `None`.
    """
    turned, orders = [], []
    for matrix, vectors in zip(factors, basis, strict=True):
        if matrix is None:
            turned.append(None)
            orders.append(None)
            continue
        product = ops.matmul(matrix, vectors)
        values = ops.sum(vectors * product, axis=0)
        certain = values > NEGLIGIBLE * ops.amax(values)
        order = ops.argsort(-values)
        moved = ops.take(ops.where(certain, product, vectors), order, axis=1)
        turned.append(ops.qr(moved)[0])
        orders.append(order)
    return turned, orders


def reorder(x, orders):
    """Sorts a tensor along each axis that has an order."""
    for axis, order in enumerate(orders):
        if order is not None:
            x = ops.take(x, order, axis=axis)
    return x


def cond(condition, then, otherwise):
    """The result of one of two functions, without running the other.

    Args:
        condition: A boolean scalar tensor.
        then: Function without arguments that returns a list of tensors.
        otherwise: Another one, with tensors of the same shapes.
    """
    if keras.backend.backend() == "jax":
        import jax

        # Outside of a compiled step, `cond` would compile both each time.
        if not isinstance(condition, jax.core.Tracer):
            return then() if condition else otherwise()
    return ops.cond(condition, then, otherwise)
