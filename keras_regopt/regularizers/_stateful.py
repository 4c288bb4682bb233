import contextlib
import weakref

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import (
    entry_layer,
    get_stateless_scope,
    in_stateless_scope,
    in_symbolic_scope,
)
from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers._on_gradient import assign_on_gradient


class StatefulRegularizer(Regularizer, keras.layers.Layer):
    """Base of the penalties that remember something of each weight.

    It is a Keras layer as well, though never called as one. To a layer that
    keeps it as an attribute, such as `kernel_regularizer`, it thereby is a
    sublayer: its state is among the model's non-trainable variables, flows
    through JAX's compiled step, and is saved, loaded, copied and exported
    with the model, all by Keras.

    The state of a weight, one variable, is made when the penalty on the
    weight is asked for the first time, before the first step of `fit`: not
    when the layer is built, after which a weight may still be loaded. A
    regularizer that several weights share holds several, in the order in
    which they came, which is that of the weights in the model.

    A subclass writes `initial_state`, `state_shape`, `penalty` and, if the
    state moves, `next_state`. The state moves when the gradient of the penalty
    is taken: once in each step of training, and not in evaluation.
    """

    state_name = "state"
    state_dtype = "float32"
    # Whether the penalty means nothing without the state that was kept.
    needs_its_state = False

    def __init__(self):
        keras.layers.Layer.__init__(self)
        self._memory = _Memory()

    def __call__(self, x):
        """The penalty on a weight or an activity.

        Args:
            x: The variable, or a tensor. For a tensor that is no variable's
                value, the state is what it is at the start.

        Returns:
            A scalar tensor, float64 for float64 and float32 otherwise.
        """
        if not isinstance(x, keras.Variable):
            x = ops.convert_to_tensor(x)
        self.built = True
        state = self._state_of(x)
        before = self.initial_state(x) if state is None else state.value
        after = self.next_state(x, before)
        penalty = self.penalty(x, before, after)
        if state is not None and after is not before:
            after = ops.cast(after, state.dtype)
            penalty = assign_on_gradient(penalty, state, after)
        return penalty

    def initial_state(self, x):
        """The state at the start, a tensor."""
        raise NotImplementedError

    def state_shape(self, shape):
        """The shape of the state for a weight of a shape."""
        raise NotImplementedError

    def next_state(self, x, state):
        """The state after a step; one that stays is returned itself."""
        return state

    def penalty(self, x, before, after):
        """The penalty, given the state before and after the step."""
        raise NotImplementedError

    @property
    def states(self):
        """The variables with the state, one for each weight."""
        return self._memory.states()

    def _state_of(self, x):
        shape = tuple(self.state_shape(tuple(x.shape)))
        if isinstance(x, keras.Variable):
            state = self._memory.recall(lambda weight: weight is x)
            if state is None:
                self._require_that_a_state_fits(x, shape)
                state = self._memory.bind(x, shape)
            return self._new(x, shape) if state is None else state
        scope = get_stateless_scope()
        if scope is not None:
            # JAX's step hands over the values of variables.
            state = self._memory.recall(
                lambda weight: scope.get_current_value(weight) is x
            )
            if state is not None:
                return state
        state = self._memory.free(shape)
        if state is not None:
            return state
        if self.needs_its_state:
            self._require_to_be_known()
        if not (self.needs_its_state and self.on_activities):
            return None
        return self._new(x, shape)

    def _require_to_be_known(self):
        name = type(self).__name__
        if entry_layer() is not None and not self.on_activities:
            raise ValueError(
                f"{name} is a penalty on weights. It was given an activity: "
                "pass it as a `kernel_regularizer` or the like."
            )
        if in_stateless_scope() and not in_symbolic_scope():
            raise RuntimeError(
                f"{name} has no state yet for this tensor, and a compiled "
                "step can make none. Ask for `model.losses` once before the "
                "first step."
            )

    def _require_that_a_state_fits(self, weight, shape):
        left = [tuple(s.shape) for s in self._memory.of_no_weight()]
        if left and shape not in left:
            raise ValueError(
                f"{type(self).__name__} was given the {self.state_name} of a "
                f"shape {' or '.join(map(str, left))}, and the weight "
                f"'{weight.path}' needs the shape {shape}."
            )

    def _new(self, x, shape):
        def initializer(shape, dtype):
            return self.initial_state(x)

        with _outside_of_graphs():
            state = self.add_weight(
                name=self.state_name,
                shape=shape,
                dtype=self.state_dtype,
                initializer="zeros" if x is None else initializer,
                trainable=False,
                autocast=False,
            )
        self._memory.add(state, x)
        return state

    def load_own_variables(self, store):
        self._take_up([store[key] for key in sorted(store.keys(), key=int)])

    # Keras saves no variables of an `activity_regularizer`. Their values go
    # into the configuration instead.
    def get_build_config(self):
        values = [
            ops.convert_to_numpy(state).tolist()
            for state in self._memory.of_no_weight()
        ]
        return {"states": values} if values else None

    def build_from_config(self, config):
        self._take_up(config["states"])

    def _take_up(self, values):
        for index, value in enumerate(values):
            value = np.array(value)
            if index == len(self.states):
                # The weight that it belongs to will come for it.
                self._new(None, value.shape)
            self.states[index].assign(value)


class _Memory:
    """Which state belongs to which weight; hidden from Keras' tracking."""

    def __init__(self):
        self._entries = []

    def add(self, state, x):
        is_weight = isinstance(x, keras.Variable)
        weight = weakref.ref(x) if is_weight else _no_weight
        self._entries.append((state, weight))

    def states(self):
        return [state for state, _ in self._entries]

    def recall(self, is_it):
        """The state of the first weight that fits, or `None`."""
        for state, weight in self._entries:
            if weight() is not None and is_it(weight()):
                return state
        return None

    def free(self, shape):
        """The first state of a shape that belongs to no weight, or `None`."""
        for state, weight in self._entries:
            if weight() is None and tuple(state.shape) == shape:
                return state
        return None

    def of_no_weight(self):
        return [state for state, weight in self._entries if weight() is None]

    def bind(self, weight, shape):
        """Gives a weight a free state, one that came from a file."""
        state = self.free(shape)
        self._entries = [
            (s, weakref.ref(weight) if s is state else w)
            for s, w in self._entries
        ]
        return state


def _no_weight():
    return None


def _outside_of_graphs():
    """Where TensorFlow makes a variable at once, though it traces a step."""
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.init_scope()
