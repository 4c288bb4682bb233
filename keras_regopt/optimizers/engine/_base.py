from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import all_reduced, has_value
from keras_regopt._sparse_gradients import dense, summed
from keras_regopt._types import LearningRate
from keras_regopt.optimizers.engine import (
    _accumulation,
    _backends,
    _formula,
    _totals,
)
from keras_regopt.optimizers.engine._algorithm import Algorithm
from keras_regopt.optimizers.engine._arguments import (
    checked_base_arguments,
    checked_rate,
)
from keras_regopt.optimizers.engine._clipping import (
    clipped_each,
    clipped_together,
)
from keras_regopt.optimizers.engine._control_dependencies import after
from keras_regopt.optimizers.engine._groups import (
    checked_groups,
    factors,
    groups_without_variables,
    load_factors,
    save_factors,
    warn_of_groups,
)
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import update_each
from keras_regopt.optimizers.engine._slots import Slots
from keras_regopt.optimizers.engine._state import load_state, save_layout
from keras_regopt.optimizers.engine.parameter_group import ParameterGroup


class Optimizer(Algorithm, SignatureConfig, keras.optimizers.Optimizer):
    """Base of the optimizers: `__init__`, `slot_names`, `formula`.

    A subclass has the constructor `(self, learning_rate, own arguments...,
    **kwargs)` and hands `learning_rate` and `**kwargs` on; Keras' ten base
    arguments (`weight_decay`, `clipnorm`, `use_ema`, ...) travel in `**kwargs`
    and are checked by Keras. What else it writes, `Algorithm` tells.

    This class runs the formula: on TensorFlow as one compiled pass, with the
    state of small variables held together; on torch with small variables
    together and large ones in pieces that stay in the cache; on JAX as it is.
    A subclass may write `build` and `update_step` instead, as Keras' do.

    Besides what Keras does, `learning_rate` may be any real number, parameter
    groups are part of the configuration, a deep copy keeps the state, sparse
    gradients become dense unless `takes_sparse_gradients` is set, and under
    `tf.distribute` the gradients are clipped after they are summed.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments.
        groups: Optional list of `ParameterGroup` objects: variables with a
            learning rate or a weight decay of their own.
        **kwargs: Keras' base arguments.

    Raises:
        ValueError: If `learning_rate` or `groups` is none of these.
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        groups: Sequence[ParameterGroup] | None = None,
        **kwargs,
    ):
        super().__init__(
            learning_rate=checked_rate(self, learning_rate),
            **checked_base_arguments(self, kwargs),
        )
        self.groups = checked_groups(self, groups)
        self.idle_groups = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.rate_factors = factors(self.groups, variables, "learning_rate")
        self.decay_factors = factors(self.groups, variables, "weight_decay")
        # A file that is read after this may know better.
        self.idle_groups = groups_without_variables(self.groups, variables)
        self.slots = Slots(self, variables)
        for names in self.slot_names():
            self.slots.add(names)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` must be called before the "
                "optimizer is built, which happens in its first step."
            )
        super().exclude_from_weight_decay(var_list, var_names)

    def apply(self, grads, trainable_variables=None):
        if not self.built and trainable_variables is not None and len(grads):
            # Outside of the context below, since variables wait for nothing.
            trainable_variables = list(trainable_variables)
            with keras.name_scope(self.name, caller=self):
                self.build(trainable_variables)
        if self.idle_groups:
            warn_of_groups(self, self.idle_groups)
            self.idle_groups = []
        # One gradient will do: where it is, the batch was.
        with after(grads[-1:]):
            return super().apply(grads, trainable_variables)

    def _backend_apply_gradients(self, grads, trainable_variables):
        if keras.backend.backend() == "tensorflow":
            # Before anything is computed from all of them, such as a norm.
            grads = all_reduced(self, grads, trainable_variables)
            # Rows that appear twice would distort the norms, too.
            complete = summed if self.takes_sparse_gradients else dense
            grads = [complete(g) for g in grads]
            if self.gradient_accumulation_steps or self.use_ema:
                _accumulation.apply_gradients(self, grads, trainable_variables)
                return
        super()._backend_apply_gradients(grads, trainable_variables)

    def _update_model_variables_moving_average(self, trainable_variables):
        if keras.backend.backend() == "tensorflow":
            _accumulation.update_averages(self)
        else:
            super()._update_model_variables_moving_average(trainable_variables)

    def _overwrite_model_variables_with_average_value(
        self, trainable_variables
    ):
        _accumulation.overwrite_with_averages(self, trainable_variables)

    def _clip_gradients(self, grads):
        if self.clipnorm and self.clipnorm > 0:
            return clipped_each(grads, self.clipnorm)
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clipped_together(grads, self.global_clipnorm)
        return super()._clip_gradients(grads)

    def _apply_weight_decay(self, variables):
        # Each variable decays in its own turn, by its group.
        return

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        _backends.make_step(self, grads, trainable_variables, learning_rate)

    def update_each(self, update, variables):
        """Runs `update(variable)` where the variables live.

        Under `tf.distribute` this is on every replica; elsewhere it is a loop.
        Inside, assign by `self.assign` and its sisters only.

        Args:
            update: Function of a variable.
            variables: The model's variables.
        """
        update_each(self, update, variables)

    def step_of_variable(self, variable, gradient, learning_rate, values):
        """One variable's step, on TensorFlow of each of its replicas."""
        index = self._get_variable_index(variable)
        if self.rate_factors[index] != 1:
            learning_rate = learning_rate * self.rate_factors[index]
        if self.decays_before:
            self.decay_step(variable, learning_rate)
        if values is None:
            self.update_step(gradient, variable, learning_rate)
        else:
            self.update_step(gradient, variable, learning_rate, values)

    def decay_step(self, variable, learning_rate):
        """Decays a variable before its `update_step`, where that is no formula.

        Args:
            variable: The variable.
            learning_rate: Its learning rate.
        """
        decay = self.decay_of(variable)
        if decay:
            rate = ops.cast(learning_rate, variable.dtype)
            self.assign_sub(variable, variable * decay * rate)

    def update_step(
        self, gradient, variable, learning_rate, values=None, norms=None
    ):
        """Makes the step of one variable, which is that of the formula."""
        _formula.update(self, gradient, variable, learning_rate, values, norms)

    def assign(self, variable, value):
        if hasattr(variable, "assign_slice"):
            variable.assign(value)
        else:
            super().assign(variable, value)

    def states(self, name):
        """The state of one name, in the order of the model's variables.

        Args:
            name: One of `slot_names`.

        Returns:
            A list of variables, with `None` where there is no such state.
        """
        return self.slots.column(name)

    @property
    def variables(self):
        """The state in the order of the file, whatever it is in memory."""
        variables = super().variables
        return self.slots.in_order(variables) if self.built else variables

    def set_weights(self, weights):
        if not self.built or not self.slots.buckets:
            super().set_weights(weights)
            return
        self.slots.assign(weights)

    def totals(self, terms, gradients, variables, values=None):
        """The sums of some terms over each variable; see `_totals.py`."""
        return _totals.totals(self, terms, gradients, variables, values)

    def decay_of(self, variable):
        """The weight decay of one variable, with its groups' factors.

        Args:
            variable: The variable.

        Returns:
            A Python float, `0.0` for a variable that does not decay.
        """
        if self.weight_decay is None or not self._use_weight_decay(variable):
            return 0.0
        index = self._get_variable_index(variable)
        return self.weight_decay * self.decay_factors[index]

    def finalize_variable_values(self, var_list):
        # After a `fit` that ended by an error, JAX leaves no values.
        if has_value(self._iterations):
            self.finalize(var_list)

    def finalize(self, var_list):
        """Gives the variables the values that training ends with.

        Args:
            var_list: The model's trainable variables, which may be others than
                those it was built with.
        """
        super().finalize_variable_values(var_list)

    def among(self, variables):
        """Which of the variables it was built with are given, as booleans."""
        given = {self._get_variable_index(v) for v in variables}
        indices = range(len(self._trainable_variables))
        # Of a NumPy array, torch.compile does not know the dtype.
        return ops.convert_to_tensor([i in given for i in indices], "bool")

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.names_its_state:
            save_layout(self, self.variables, store)
        if self.groups and self.built:
            save_factors(self, store)

    def load_own_variables(self, store):
        load_state(self, self.variables, store)
        if self.built and self.idle_groups:
            self.idle_groups = load_factors(self, store)

    def _keras_config(self):
        return keras.optimizers.Optimizer.get_config(self)

    def __deepcopy__(self, memo):
        # Keras copies through a file, and so loses the state.
        clone = type(self).from_config(self.get_config())
        memo[id(self)] = clone
        if self.built:
            clone.build([memo.get(id(v), v) for v in self.model_variables])
            # They may come from a file, and not from the paths.
            clone.rate_factors = list(self.rate_factors)
            clone.decay_factors = list(self.decay_factors)
            clone.idle_groups = list(self.idle_groups)
            for own, other in zip(clone.variables, self.variables, strict=True):
                own.assign(copied(other))
        return clone

    @property
    def model_variables(self):
        """The variables this optimizer was built with."""
        return list(self._trainable_variables)
