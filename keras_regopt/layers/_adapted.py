import numbers
import warnings

import keras
import numpy as np
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import (
    DataLayer,
    in_foreign_tf_graph,
    in_training,
    value_before_tracing,
)
from keras_regopt._roles import NotAPenalty
from keras_regopt._validate import fail


class AdaptedLayer(NotAPenalty, SignatureConfig, DataLayer):
    """Base of the layers that learn statistics of their inputs beforehand.

    A subclass writes `build`, `learn` and `call`. In `call` it computes with
    `self.backend`, and reads its weights by `value_of`, so that it also runs
    in `tf.data`, whatever Keras' backend is.

    Args:
        **kwargs: Keras' arguments of every layer. `dtype` is `"float32"`
            unless given, also under a mixed policy: raw inputs may be beyond
            what half precision holds.
    """

    # Whether statistics were learned, or loaded.
    adapted = False

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)

    def _keras_config(self):
        return keras.layers.Layer.get_config(self)

    def adapt(self, data, key=None):
        """Learns the statistics of data, which replace those it has.

        Args:
            data: An array or tensor of examples, or nested lists of their
                numbers; or batches of examples: a batched `tf.data.Dataset`, a
                `keras.utils.PyDataset`, or another finite iterable, whose
                elements are arrays, dicts of arrays, or tuples that begin with
                one of these.
            key: Which entry of the dicts it is. Without, they must have one
                entry alone. Defaults to `None`.

        Raises:
            ValueError: If there are less than two examples, a batch does not
                fit the layer, or `key` is not that of an entry.
        """
        batches = (self._array(batch, key) for batch in _batches(data))
        first = next(batches, None)
        if first is None or first.ndim < 2:
            self._fail("at least one batch of examples", first)
        if not self.built:
            self.build((None, *first.shape[1:]))
        examples = 0

        def checked():
            nonlocal examples
            for batch in _chain(first, batches):
                if not self._fits(batch.shape):
                    allowed = f"batches of examples of {self._shape[1:]}"
                    self._fail(allowed, batch.shape)
                examples += len(batch)
                yield batch

        learned = self.learn(checked())
        if examples < 2:
            self._fail("at least two examples", examples)
        # Only now, so that an error leaves the layer as it was.
        for weight, value in learned:
            weight.assign(value)
        self.adapted = True

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.adapted = True

    def __call__(self, *args, **kwargs):
        self.adapted = self.adapted or self._has_statistics()
        if not self.adapted and (kwargs.get("training") or in_training()):
            # Warns once.
            self.adapted = True
            warnings.warn(
                f"{type(self).__name__} '{self.name}' is trained with, but "
                "knows nothing of the data yet. Call its `adapt` with the "
                "training inputs before `fit`.",
                stacklevel=2,
            )
        return super().__call__(*args, **kwargs)

    def _has_statistics(self):
        """Whether the weights were set past `adapt`, such as a copy's."""
        if not self.built:
            return False
        values = [value_before_tracing(weight) for weight in self.weights]
        return any(
            value is not None and not np.array_equal(value, initial)
            for value, initial in zip(values, self._initial, strict=True)
        )

    def learn(self, batches):
        """Computes the statistics.

        Args:
            batches: Iterator over float64 arrays.

        Returns:
            A list of pairs of a weight and its new value.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `learn(self, batches)`."
        )

    def build(self, input_shape):
        self._shape = tuple(input_shape)
        # The weights before anything is learned.
        self._initial = []

    def add_statistic(self, name, shape, initializer):
        """A float32 weight that only `adapt` changes."""
        self._initial.append(
            {"zeros": np.zeros, "ones": np.ones}.get(
                initializer, lambda shape: np.eye(*shape)
            )(shape)
        )
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            dtype="float32",
            trainable=False,
            autocast=False,
        )

    def value_of(self, weight):
        """A weight as a tensor for `self.backend`, in single precision."""
        if in_foreign_tf_graph():
            weight = ops.convert_to_numpy(weight)
        return self.backend.convert_to_tensor(weight, dtype="float32")

    def _fits(self, shape):
        return len(shape) == len(self._shape) and all(
            own in (None, size)
            for own, size in zip(self._shape[1:], shape[1:], strict=True)
        )

    def _array(self, batch, key):
        if isinstance(batch, tuple):
            batch = batch[0]
        if isinstance(batch, dict):
            if key is None and len(batch) == 1:
                (key,) = batch
            if key not in batch:
                allowed = f"one of {sorted(batch)}, the entry to learn from"
                fail(f"{type(self).__name__}.adapt", "key", allowed, key)
            batch = batch[key]
        if keras.ops.is_tensor(batch):
            batch = keras.ops.convert_to_numpy(batch)
        return np.asarray(batch, "float64")

    def _fail(self, allowed, received):
        fail(f"{type(self).__name__}.adapt", "data", allowed, received)


def _batches(data):
    one_array = keras.ops.is_tensor(data) or isinstance(data, np.ndarray)
    if one_array or isinstance(data, dict) or _is_nested_list(data):
        return iter([data])
    if isinstance(data, keras.utils.PyDataset):
        return (data[i] for i in range(data.num_batches))
    return iter(data)


def _is_nested_list(data):
    """Whether data are lists of lists of numbers, and not of arrays."""
    depth = 0
    while isinstance(data, list) and data:
        data, depth = data[0], depth + 1
    return depth > 1 and isinstance(data, numbers.Number)


def _chain(first, rest):
    yield first
    yield from rest
