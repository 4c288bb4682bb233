"""Where the state of the variables lies."""

import keras
import numpy as np
from keras import ops

from keras_regopt.optimizers.engine._groups import variable_path


class Slots:
    """The state of all variables, each in a variable of its own or in a part.

    The small variables of a bucket share one flat variable for each kind of
    state. To the outside every variable has its own state, in Keras' order.

    Args:
        optimizer: The optimizer, whose base is built.
        variables: The model's variables.
        buckets: A list of lists of indices of variables that lie together.
    """

    def __init__(self, optimizer, variables, buckets):
        self._columns = []
        self._in_order = []
        self.buckets = [Bucket(variables, indices) for indices in buckets]
        place = {}
        for bucket in self.buckets:
            for index, span in zip(bucket.indices, bucket.spans, strict=True):
                place[index] = (bucket, span)
        for names in optimizer.slot_names():
            start = len(self._columns)
            for name in names:
                self._columns.append([])
                for bucket in self.buckets:
                    bucket.add(optimizer, name)
            for index, variable in enumerate(variables):
                for column, name in enumerate(names, start):
                    slot = None
                    if index in place:
                        bucket, span = place[index]
                        slot = Part(bucket.slots[column], span, variable, name)
                    elif not optimizer._overwrite_variable_with_gradient(
                        variable
                    ):
                        slot = optimizer.add_variable_from_reference(
                            variable,
                            name=name,
                            initializer=_initializer(optimizer, name),
                        )
                    self._columns[column].append(slot)
                    if slot is not None:
                        self._in_order.append(slot)
        self._own = {id(slot) for slot in self._in_order}
        self._own |= {id(s) for b in self.buckets for s in b.slots}

    def of(self, index):
        """The state of one variable, in the order of `slot_names`."""
        return [column[index] for column in self._columns]

    def in_order(self, variables):
        """Variables of an optimizer, with these where Keras has them: last."""
        return [v for v in variables if id(v) not in self._own] + list(
            self._in_order
        )


class Bucket:
    """Small variables whose state lies together.

    Args:
        variables: The model's variables.
        indices: Which of them are in the bucket.
    """

    def __init__(self, variables, indices):
        self.indices = indices
        self.shapes = [tuple(variables[i].shape) for i in indices]
        self.sizes = [int(np.prod(shape)) for shape in self.shapes]
        ends = np.cumsum(self.sizes).tolist()
        self.spans = list(zip([0, *ends[:-1]], ends, strict=True))
        self.dtype = variables[indices[0]].dtype
        self.slots = []

    def add(self, optimizer, name):
        """Creates the flat variable of one kind of state."""
        self.slots.append(
            optimizer.add_variable(
                shape=(sum(self.sizes),),
                initializer=_initializer(optimizer, name),
                dtype=keras.backend.standardize_dtype(self.dtype),
                name=f"flat_{name}",
            )
        )


class Part:
    """A part of a flat variable, which looks like a variable of its own.

    Args:
        flat: The flat variable.
        span: The start and the end of the part.
        reference: The model's variable that it belongs to.
        name: The kind of state.
    """

    trainable = False

    def __init__(self, flat, span, reference, name):
        self._flat = flat
        self._span = slice(*span)
        self.shape = tuple(reference.shape)
        self.dtype = flat.dtype
        path = variable_path(reference)
        self.name = f"{path.replace('/', '_').replace(':', '_')}_{name}"
        self.path = "/".join([*flat.path.split("/")[:-1], self.name])

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def value(self):
        return ops.reshape(self._flat.value[self._span], self.shape)

    def numpy(self):
        return np.asarray(self.value)

    def assign(self, value):
        """Writes the part and leaves the rest of the flat variable alone."""
        value = ops.cast(ops.convert_to_tensor(value), self.dtype)
        if tuple(value.shape) != self.shape:
            raise ValueError(
                f"The state {self.path} has the shape {self.shape}. "
                f"Received: a value of the shape {tuple(value.shape)}"
            )
        self.assign_slice(ops.reshape(value, (-1,)))
        return self.value

    def assign_slice(self, value):
        self._flat.value[self._span].assign(value)

    def assign_add(self, value):
        return self.assign(self.value + value)

    def assign_sub(self, value):
        return self.assign(self.value - value)

    def __tf_tensor__(self, dtype=None, name=None):
        value = self.value
        return value if dtype is None else ops.cast(value, dtype.name)

    def __array__(self, dtype=None, copy=None):
        return self.numpy().astype(dtype or self.numpy().dtype)

    def __repr__(self):
        return f"<Part path={self.path}, shape={self.shape}>"


def _initializer(optimizer, name):
    argument = optimizer.initial_values.get(name)
    if argument is None:
        return "zeros"
    return keras.initializers.Constant(getattr(optimizer, argument))
