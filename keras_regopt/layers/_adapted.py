import keras
import numpy as np
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import DataLayer, in_foreign_tf_graph
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

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)

    def _keras_config(self):
        return keras.layers.Layer.get_config(self)

    def adapt(self, data):
        """Learns the statistics of data, in place of those it has.

        Args:
            data: An array or tensor of examples; or their batches: a batched
                `tf.data.Dataset`, a `keras.utils.PyDataset`, or another finite
                iterable, whose elements are arrays or tuples that begin with
                one.

        Raises:
            ValueError: If there are less than two examples, or a batch does
                not fit the layer.
        """
        batches = (_array(batch) for batch in _batches(data))
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

    def add_statistic(self, name, shape, initializer):
        """A float32 weight that only `adapt` changes."""
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
            own in (None, came)
            for own, came in zip(self._shape[1:], shape[1:], strict=True)
        )

    def _fail(self, allowed, came):
        fail(f"{type(self).__name__}.adapt", "data", allowed, came)


def _batches(data):
    if keras.ops.is_tensor(data) or isinstance(data, np.ndarray):
        return iter([data])
    if isinstance(data, keras.utils.PyDataset):
        return (data[i] for i in range(data.num_batches))
    return iter(data)


def _array(batch):
    if isinstance(batch, tuple):
        batch = batch[0]
    if keras.ops.is_tensor(batch):
        batch = keras.ops.convert_to_numpy(batch)
    return np.asarray(batch, "float64")


def _chain(first, others):
    yield first
    yield from others
