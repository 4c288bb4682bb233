"""What the augmentations that mix the elements of a batch have in common."""

import keras

from keras_regopt import _validate
from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._gather import rows_at
from keras_regopt.augmentation._mixed_labels import mixable


class Mixing(RandomAugmentation):
    """Base of the augmentations that make one element of several of a batch.

    A subclass sets `mixed_count`, the number of elements that make one. The
    parameters that `sample` returns hold `"sources"`, the numbers in the batch
    of the elements that each one is made of, itself first, and `"weights"`,
    their weights; both are of shape `(batch, mixed_count)`. Labels follow from
    these two.

    Args:
        num_classes: Number of classes, at least 2. Labels that are integers
            become one-hot vectors of that length. Defaults to `None`: labels
            are floats already.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and what the base
            of the kind of data takes.

    Raises:
        ValueError: If an argument is not among the values above.
    """

    targets = frozenset({"labels"})
    mixes = True
    takes_clips = False
    mixed_count = 2

    # The class that mixes by several of these, and the arguments that all of
    # them must share.
    in_turn: type
    shared: tuple[str, ...] = ()

    def __init__(self, *, num_classes: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = _validate.integer(
            self, "num_classes", num_classes, low=2, optional=True
        )

    def apply_to_labels(self, labels, parameters):
        return mixed_in_floats(labels, parameters)

    def read(self, inputs):
        data = super().read(inputs)
        _require_batch(self, data[self.key])
        if "labels" in data:
            data["labels"] = mixable(self, data["labels"], data[self.key])
        return data


def sources(draw, count):
    """Which elements of a batch are mixed: a random ring of all of them.

    Each is the second part of one other, the third of another, and so on; in
    a batch of at least `count`, none is mixed with itself.

    Args:
        draw: Random numbers, a tensor of shape `(batch,)`.
        count: How many elements make one.

    Returns:
        An integer tensor of shape `(batch, count)`, the own number first.
    """
    ring = ops.argsort(draw)
    position = ops.argsort(ring)
    batch = ops.cast(ops.shape(draw)[0], position.dtype)
    found = [
        ops.take(ring, (position + i) % batch, axis=0) for i in range(count)
    ]
    return ops.stack(found, axis=1)


def mixed(values, parameters):
    """Sums of what belongs to the parts, weighted by their weights."""
    weights = ops.cast(parameters["weights"], values.dtype)
    total = per_element(weights[:, 0], values) * values
    for part in range(1, weights.shape[1]):
        other = rows_at(values, parameters["sources"][:, part])
        total = total + per_element(weights[:, part], values) * other
    return total


def mixed_in_floats(values, parameters):
    """The same of floats of any precision, computed in a sufficient one."""
    dtype = keras.backend.standardize_dtype(values.dtype)
    floats = ops.cast(values, dtype if dtype == "float64" else "float32")
    return ops.cast(mixed(floats, parameters), dtype)


def per_element(values, like):
    """One value an element, in a shape that broadcasts to that of `like`."""
    return ops.reshape(values, (-1,) + (1,) * (len(like.shape) - 1))


def partners(values, parameters):
    """What belongs to the second part of each element."""
    return rows_at(values, parameters["sources"][:, 1])


def _require_batch(layer, data):
    shape = tuple(data.shape)
    if len(shape) == layer.element_rank:
        raise ValueError(
            f"{type(layer).__name__} mixes the {layer.key} of a batch. "
            f"Received a single one: shape={shape}. Batch the dataset before "
            "the map: `ds.batch(64).map(layer)`."
        )
