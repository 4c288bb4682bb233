"""Where the state of the variables lies."""

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import is_overwritten, own_variables
from keras_regopt._validate import fail
from keras_regopt.optimizers.engine import _tensorflow
from keras_regopt.optimizers.engine._algorithm import Algorithm
from keras_regopt.optimizers.engine._groups import variable_path


class Slots:
    """The state of all variables, each in a variable of its own or in a part.

    The small variables of a bucket share one flat variable for each kind of
    state. To the outside every variable has its own state, in Keras' order.

    Args:
        optimizer: The optimizer, whose base is built.
        variables: The model's variables.
    """

    def __init__(self, optimizer, variables):
        self._optimizer = optimizer
        self._variables = variables
        self._columns = {}
        # The states of each call of `add`, and how many of the optimizer's
        # variables there were before.
        self._groups = []
        self._own = set()
        self.buckets = [
            Bucket(variables, indices)
            for indices in _tensorflow.buckets(optimizer, variables)
        ]
        self._place = {
            index: (bucket, span)
            for bucket in self.buckets
            for index, span in zip(bucket.indices, bucket.spans, strict=True)
        }

    def add(self, names):
        """Creates states that stand side by side in the file.

        Args:
            names: A tuple of names.
        """
        group = []
        self._groups.append((len(own_variables(self._optimizer)), group))
        for name in names:
            for bucket in self.buckets:
                bucket.add(self._optimizer, name)
            self._columns[name] = []
        for index, variable in enumerate(self._variables):
            for name in names:
                slot = self._new(index, variable, name)
                self._columns[name].append(slot)
                if slot is not None:
                    group.append(slot)
        flat = [s for b in self.buckets for s in b.slots if s is not None]
        self._own |= {id(slot) for slot in [*group, *flat]}

    def _new(self, index, variable, name):
        optimizer = self._optimizer
        if is_overwritten(optimizer, variable):
            return None
        if not optimizer.has_slot(name, variable):
            return None
        if index in self._place:
            bucket, span = self._place[index]
            flat = bucket.slots[list(self._columns).index(name)]
            return Part(flat, span, variable, name)
        initializer = _initializer(optimizer, name)
        shape, dtype = optimizer.slot_spec(name, variable)
        if (shape, dtype) != Algorithm.slot_spec(optimizer, name, variable):
            return optimizer.add_variable(
                shape=shape,
                initializer=initializer,
                dtype=dtype,
                name=f"{variable.name}_{name}",
            )
        return optimizer.add_variable_from_reference(
            variable, name=name, initializer=initializer
        )

    def column(self, name):
        """The state of one name of all variables."""
        return list(self._columns[name])

    def of(self, index):
        """The state of one variable, in the order of `slot_names`."""
        return [column[index] for column in self._columns.values()]

    def in_order(self, variables):
        """Variables of an optimizer in the order of the file.

        Args:
            variables: The optimizer's variables, as they were created.

        Returns:
            A list, in which parts stand where Keras has the variables.
        """
        if not self.buckets:
            return variables
        starts, groups = zip(*self._groups, strict=True)
        ends = [*starts[1:], len(variables)]
        result = variables[: starts[0]]
        for start, end, group in zip(starts, ends, groups, strict=True):
            others = variables[start:end]
            result += group
            result += [v for v in others if id(v) not in self._own]
        return result

    def assign(self, weights):
        """Assigns values to all variables of the optimizer.

        Args:
            weights: Arrays, in the order of the file.
        """
        optimizer = self._optimizer
        for variable, weight in zip(optimizer.variables, weights, strict=True):
            if tuple(variable.shape) != tuple(weight.shape):
                fail(
                    optimizer,
                    "weights",
                    f"of the shape {tuple(variable.shape)} at {variable.path}",
                    tuple(weight.shape),
                )
            variable.assign(weight)


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
        self._first = variables[indices[0]]
        self.slots = []

    def add(self, optimizer, name):
        """Creates the flat variable of one kind of state."""
        if not optimizer.has_slot(name, self._first):
            self.slots.append(None)
            return
        self.slots.append(
            optimizer.add_variable(
                shape=(sum(self.sizes),),
                initializer=_initializer(optimizer, name),
                dtype=keras.backend.standardize_dtype(self._first.dtype),
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
