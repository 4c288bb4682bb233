"""Optimizers whose algorithm is a function of tensors."""

import dataclasses

import keras
from keras import ops

from keras_regopt._validate import fail
from keras_regopt.optimizers.engine import _sparse_gradients, _tensorflow
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._norms import norm
from keras_regopt.optimizers.engine._numerics import wide_dtype
from keras_regopt.optimizers.engine._slots import Slots
from keras_regopt.optimizers.engine._step import Step


class FormulaOptimizer(Optimizer):
    """Base of the optimizers whose algorithm is a function of tensors.

    A subclass names its state in `slot_names` and writes its algorithm once, as
    a function of tensors, in `formula`. This class runs it: on TensorFlow as
    one compiled pass, with the state of small variables held together; on the
    other backends as it is.
    """

    # State whose first value is not zero: its name and the argument that says.
    initial_values = {}

    # Whether the formula takes norms, so that variables which lie together must
    # be rows of a matrix.
    in_rows = False

    def slot_names(self):
        """The names of the state of each variable, in the order of the file.

        Returns:
            A list of tuples. Within a tuple the states of one variable stand
            side by side in the file, one tuple follows the other.
        """
        return []

    def formula(self, variable, gradient, slots, step):
        """The algorithm, as a function of tensors.

        Args:
            variable: The value of the variable, prepared.
            gradient: Its gradient, prepared.
            slots: Its state, a list in the order of `slot_names`.
            step: A `Step`.

        Returns:
            The new value, and the list of the new state.
        """
        raise NotImplementedError

    def prepared(self, variable, gradient, step):
        """Value and gradient as the formula takes them; here with the decay."""
        if step.decay:
            variable = variable - variable * (step.rate * step.decay)
        return variable, gradient

    def lengths(self, index, variable, gradient, norm):
        """The norms that the formula needs of what is known beforehand.

        Apart from the formula, since TensorFlow takes the norm of something
        large faster than its compiler does.

        Args:
            index: The place of the variable among those of the model.
            variable: Its value.
            gradient: Its gradient.
            norm: The `norm` of the `Step`.

        Returns:
            A tuple of tensors.
        """
        return ()

    def kind_of(self, index, variable):
        """What variables must have in common to be treated as one.

        Args:
            index: The place of the variable among those of the model.
            variable: The variable.

        Returns:
            A tuple, or `None` if this one must stay alone.
        """
        return (
            self._rate_factors[index],
            self._decay_factors[index],
            self._use_weight_decay(variable),
        )

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        flat = _tensorflow.buckets(self, variables)
        self._slots = Slots(self, variables, flat)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` must be called before the "
                "optimizer is built, which happens in its first step."
            )
        super().exclude_from_weight_decay(var_list, var_names)

    def decay_step(self, variable, learning_rate):
        # The decay is part of the pass over the variable.
        return

    def update_step(
        self, gradient, variable, learning_rate, values=None, lengths=None
    ):
        index = self._get_variable_index(variable)
        slots = self._slots.of(index)
        step = Step(index, learning_rate, self.decay_of(variable), values)
        if _sparse_gradients.is_sparse(gradient):
            _sparse_gradients.update(self, gradient, variable, slots, step)
            return
        value = ops.convert_to_tensor(variable)
        gradient = ops.convert_to_tensor(gradient)
        if lengths is None:
            lengths = self.lengths(index, value, gradient, norm)
        step.lengths = lengths
        value, states = self.stepped(
            value, gradient, [ops.convert_to_tensor(s) for s in slots], step
        )
        for slot, state in zip(slots, states, strict=True):
            self.assign(slot, state)
        self.assign(variable, value)

    def stepped(self, variable, gradient, slots, step):
        """One step with all that belongs to it, as a function of tensors.

        Half precision is computed in single precision, in which the powers of
        the betas do not vanish, and rounded at the end.

        Args:
            variable: The value of the variable.
            gradient: Its gradient.
            slots: Its state.
            step: A `Step`, in any dtype.

        Returns:
            The new value and the list of the new state, in their own dtypes.
        """
        given = variable.dtype
        dtype = keras.backend.standardize_dtype(given)
        is_wide = dtype == wide_dtype(dtype)

        def wide(x):
            # A cast that changes nothing takes its time on torch.
            if is_wide and getattr(x, "dtype", None) == given:
                return x
            return None if x is None else ops.cast(x, wide_dtype(dtype))

        values = step.values
        if isinstance(values, tuple):
            values = tuple(map(wide, values))
        step = dataclasses.replace(
            step,
            rate=wide(step.rate),
            values=values if isinstance(values, tuple) else wide(values),
            lengths=[wide(length) for length in step.lengths],
        )
        variable, gradient = self.prepared(wide(variable), wide(gradient), step)
        slots = [wide(slot) for slot in slots]
        value, states = self.formula(variable, gradient, slots, step)
        if is_wide:
            return value, states
        return ops.cast(value, dtype), [ops.cast(s, dtype) for s in states]

    def assign(self, variable, value):
        if hasattr(variable, "assign_slice"):
            variable.assign(value)
        else:
            super().assign(variable, value)

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        backend = keras.backend.backend()
        if backend == "tensorflow" and _tensorflow.stands_alone(self):
            _tensorflow.update(self, grads, trainable_variables, learning_rate)
            return
        if backend == "jax":
            grads = [_sparse_gradients.dense(g) for g in grads]
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    @property
    def variables(self):
        """The state in the order of the file, whatever it is in memory."""
        if not self.built:
            return super().variables
        return self._slots.in_order(self._variables)

    def set_weights(self, weights):
        if not self.built:
            super().set_weights(weights)
        for variable, weight in zip(self.variables, weights, strict=True):
            if tuple(variable.shape) != tuple(weight.shape):
                fail(
                    self,
                    "weights",
                    f"of the shape {tuple(variable.shape)} at {variable.path}",
                    tuple(weight.shape),
                )
            variable.assign(weight)
