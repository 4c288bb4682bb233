import math
import typing

import keras
import numpy as np
from keras import ops

from keras_regopt._validate import in_range, instance_of
from keras_regopt.constraints._graph import leaf_layers


class Zeros(typing.NamedTuple):
    """The zeros in the kernels of one layer.

    Args:
        layer: The path of the layer.
        zeros: Number of weights that are zero.
        weights: Number of weights.
        zero_units: Number of units whose weights are all zero.
        units: Number of units: of entries of the kernels' last axes.
        zero_inputs: Number of inputs whose weights are all zero: features that
            the layer does not look at.
        inputs: Number of inputs: of entries of the kernels' last axes but one.
    """

    layer: str
    zeros: int
    weights: int
    zero_units: int
    units: int
    zero_inputs: int = 0
    inputs: int = 0


class Sparsity(list):
    """What `sparsity` returns: a list of `Zeros`, one a layer.

    `total` sums them up, and `str` shows a table.
    """

    @property
    def total(self):
        """The sums over all layers, as `Zeros`."""
        rows = zip(*(z[1:] for z in self), strict=True)
        return Zeros("total", *([sum(row) for row in rows] or [0] * 6))

    def __str__(self):
        rows = [*self, self.total]
        width = max(len(row.layer) for row in rows)
        lines = [
            f"{'layer':{width}}  zero weights                  "
            "zero units       zero inputs"
        ]
        for row in rows:
            fraction = row.zeros / max(row.weights, 1)
            lines.append(
                f"{row.layer:{width}}  {row.zeros:>7,} of {row.weights:>9,} "
                f"({fraction:4.0%})  {row.zero_units:>5,} of {row.units:>5,}  "
                f"{row.zero_inputs:>5,} of {row.inputs:>5,}"
            )
        return "\n".join(lines)


def sparsity(model: keras.Model, tolerance: float = 0.0) -> Sparsity:
    """Counts the zeros in the kernels of a model, layer by layer.

    Kernels are the weights of a layer that have two axes or more, embeddings
    among them; biases and statistics often are zero for other reasons.

    Args:
        model: A built Keras model of any kind.
        tolerance: Absolute value up to which a weight counts as zero, a number
            >= 0. A penalty without a constraint leaves weights that are small
            and not zero. Defaults to `0.0`.

    Returns:
        A list of `Zeros`, which prints as a table and has a `total`.

    Raises:
        ValueError: If `model` is no model, or `tolerance` negative.

    Examples:
        >>> layer = keras.layers.Dense(2, kernel_initializer="zeros")
        >>> model = keras.Sequential([keras.Input((3,)), layer])
        >>> found = sparsity(model)
        >>> found.total.zeros, found.total.zero_units, found.total.zero_inputs
        (6, 2, 3)
    """
    instance_of(sparsity, "model", model, keras.Model, "a Keras model")
    in_range(sparsity, "tolerance", tolerance, low=0)
    found = Sparsity()
    for layer in leaf_layers(model):
        kernels = [w for w in layer.weights if len(w.shape) > 1]
        if not kernels:
            continue
        zero = [
            np.abs(ops.convert_to_numpy(ops.cast(kernel, "float32")))
            <= tolerance
            for kernel in kernels
        ]
        units = [z.reshape(-1, z.shape[-1]).all(0) for z in zero]
        inputs = [z.reshape(-1, *z.shape[-2:]).all((0, 2)) for z in zero]
        found.append(
            Zeros(
                layer.path,
                sum(int(z.sum()) for z in zero),
                sum(math.prod(z.shape) for z in zero),
                sum(int(u.sum()) for u in units),
                sum(len(u) for u in units),
                sum(int(i.sum()) for i in inputs),
                sum(len(i) for i in inputs),
            )
        )
    return found
