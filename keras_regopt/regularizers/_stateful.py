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
from keras_regopt._roles import refuse_role
from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers._on_gradient import assign_on_gradient
from keras_regopt.regularizers._quantization import hook_quantization


class StatefulRegularizer(Regularizer, keras.layers.Layer):
    """Base of the penalties that have a state for their weight.

    It is a Keras layer as well, though never called as one. So it is a sublayer
    of a layer that has it as an attribute, such as `kernel_regularizer`: its
    state is among the model's non-trainable variables, flows through JAX's
    compiled step, and is saved, loaded, copied and exported with the model, all
    by Keras.

    The state, one variable, is made when the penalty on the weight is computed
    for the first time, before the first step of `fit`: not when the layer is
    built, since a weight may be loaded afterwards. It belongs to that weight:
    every weight needs an object of its own.

    A subclass writes `initial_state`, `state_shape`, `penalty` and, if the
    state changes, `next_state`. The state changes when the gradient of the
    penalty is taken: once in each step of training, and not in evaluation.
    """

    state_name = "state"
    state_dtype = "float32"
    # Whether the penalty is meaningless without its former state.
    needs_its_state = False

    def __init__(self):
        keras.layers.Layer.__init__(self)
        hook_quantization(StatefulRegularizer)
        self.state = None
        # A weak reference to the weight that the state belongs to.
        self._weight = None
        self._is_of_activity = False

    def __call__(self, x):
        """The penalty on a weight or an activity.

        Args:
            x: The variable, or a tensor. For a tensor that is not the value of
                the variable, the state is what it is at the start.

        Returns:
            A scalar tensor, float64 for float64 and float32 otherwise.
        """
        refuse_role(self, x, is_for="regularizer")
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

    def load_own_variables(self, store):
        for key in store.keys():  # noqa: SIM118
            self.set_state(store[key])

    # Keras saves no variables of an `activity_regularizer`. Their values go
    # into the configuration instead.
    def get_build_config(self):
        if not self._is_of_activity:
            return None
        return {"state": ops.convert_to_numpy(self.state).tolist()}

    def build_from_config(self, config):
        self.set_state(config["state"])

    def set_state(self, value):
        """Sets the state, also before the weight is known.

        Args:
            value: An array, or what becomes one.
        """
        value = np.array(value)
        if self.state is None:
            self._make_state(None, value.shape)
        self.state.assign(value)

    def _state_of(self, x):
        """The state for a tensor, or `None` if it has none."""
        shape = tuple(self.state_shape(tuple(x.shape)))
        if isinstance(x, keras.Variable):
            self._bind(x, shape)
            return self.state
        weight = self._weight and self._weight()
        if weight is not None and _value_in_step(weight) is x:
            return self.state
        if entry_layer() is not None:
            return self._state_of_activity(x, shape, weight)
        state = self.state if weight is None else None
        if state is not None and tuple(state.shape) == shape:
            return state
        if self.needs_its_state:
            self._require_no_compiled_step()
        return None

    def _bind(self, x, shape):
        """Makes the state belong to a weight, and vice versa."""
        weight = self._weight and self._weight()
        if weight is x:
            return
        if weight is not None or self._is_of_activity:
            self._refuse_to_share(f"the weight '{x.path}'")
        if self._weight is not None:
            # That weight is gone, and its state is useless.
            self._untrack_variable(self.state)
            self.state = None
        if self.state is None:
            self._make_state(x, shape)
        elif tuple(self.state.shape) != shape:
            raise ValueError(
                f"The {self.state_name} of {type(self).__name__} has the "
                f"shape {tuple(self.state.shape)}, and that of the weight "
                f"'{x.path}' must have the shape {shape}."
            )
        self._weight = weakref.ref(x)

    def _state_of_activity(self, x, shape, weight):
        if not self.needs_its_state:
            return None
        if not self.on_activities:
            raise ValueError(
                f"{type(self).__name__} is a penalty on weights. It was given "
                "an activity: pass it as a `kernel_regularizer` or the like."
            )
        if weight is not None:
            self._refuse_to_share("an activity")
        if self.state is None:
            self._require_no_compiled_step()
            self._make_state(x, shape)
        self._is_of_activity = True
        return self.state

    def _refuse_to_share(self, other):
        raise ValueError(
            f"One {type(self).__name__} remembers one weight, and was given "
            f"{other} as a second one. Make a new object for each. (Layers "
            "that pass one object to several weights, such as "
            "`MultiHeadAttention`, cannot have it.)"
        )

    def _require_no_compiled_step(self):
        if in_stateless_scope() and not in_symbolic_scope():
            raise RuntimeError(
                f"{type(self).__name__} has no state yet for this tensor, and "
                "a compiled step can make none. Ask for `model.losses` once "
                "before the first step."
            )

    def _make_state(self, x, shape):
        def initializer(shape, dtype):
            return self.initial_state(x)

        with _outside_of_graphs():
            self.state = self.add_weight(
                name=self.state_name,
                shape=shape,
                dtype=self.state_dtype,
                initializer="zeros" if x is None else initializer,
                trainable=False,
                autocast=False,
            )


def _value_in_step(variable):
    """The value of a variable in JAX's stateless step, or `None`."""
    scope = get_stateless_scope()
    return None if scope is None else scope.get_current_value(variable)


def _outside_of_graphs():
    """A scope in which TensorFlow makes a variable though it traces a step."""
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.init_scope()
