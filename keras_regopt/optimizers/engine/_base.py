import numbers
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import has_value
from keras_regopt._types import LearningRate
from keras_regopt._validate import fail, in_range
from keras_regopt.optimizers.engine import _accumulation
from keras_regopt.optimizers.engine._control_dependencies import after
from keras_regopt.optimizers.engine._groups import (
    checked_groups,
    factors,
    warn_of_idle_groups,
)
from keras_regopt.optimizers.engine._norms import global_norm, norm
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import update_each
from keras_regopt.optimizers.engine._sparse_gradients import (
    dense,
    scaled,
    summed,
)
from keras_regopt.optimizers.engine._state import load_state, save_layout
from keras_regopt.optimizers.engine.parameter_group import ParameterGroup

_NEVER_NEGATIVE = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")


class Optimizer(SignatureConfig, keras.optimizers.Optimizer):
    """Base of the optimizers: `__init__`, `build`, `update_step`.

    A subclass has the constructor `(self, learning_rate, own arguments...,
    **kwargs)` and hands `learning_rate` and `**kwargs` on; Keras' ten base
    arguments (`weight_decay`, `clipnorm`, `use_ema`, ...) travel in `**kwargs`
    and are checked by Keras.

    Beside what Keras does, `learning_rate` may be any real number, parameter
    groups are part of the configuration, a deep copy keeps the state, sparse
    gradients become dense unless `takes_sparse_gradients` is set, and under
    `tf.distribute` the gradients are clipped after they are summed.

    What is the same for all variables of a step belongs into `step_values`.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments.
        groups: Optional list of `ParameterGroup` objects: variables with a
            learning rate or a weight decay of their own.
        **kwargs: Keras' base arguments.

    Raises:
        ValueError: If `learning_rate` or `groups` is none of these.
    """

    # Whether `update_step` knows what to do with a `tf.IndexedSlices`.
    takes_sparse_gradients = False

    # Whether its files say whose state they hold. Keras' do not.
    names_its_state = True

    def __init__(
        self,
        learning_rate: LearningRate,
        groups: Sequence[ParameterGroup] | None = None,
        **kwargs,
    ):
        for name in _NEVER_NEGATIVE:
            if name in kwargs:
                # Keras would clip nothing, or let weights grow.
                kwargs[name] = in_range(
                    self, name, kwargs[name], low=0, optional=True
                )
        super().__init__(learning_rate=_rate(self, learning_rate), **kwargs)
        self.groups = checked_groups(self, groups)

    def build(self, variables):
        super().build(variables)
        warn_of_idle_groups(self, self.groups, variables)
        self._rate_factors = factors(self.groups, variables, "learning_rate")
        self._decay_factors = factors(self.groups, variables, "weight_decay")

    def apply(self, grads, trainable_variables=None):
        if not self.built and trainable_variables is not None and len(grads):
            # Outside of the context below, since variables wait for nothing.
            trainable_variables = list(trainable_variables)
            with keras.name_scope(self.name, caller=self):
                self.build(trainable_variables)
        # One gradient will do: where it is, the batch was.
        with after(grads[-1:]):
            return super().apply(grads, trainable_variables)

    def step_values(self, gradients, variables, learning_rate):
        """What all variables of a step share, computed once.

        Where it returns something, `update_step` is called with it as a fourth
        argument. The gradients are complete: summed over the replicas, unscaled
        and clipped. An optimizer-wide variable may be assigned here.

        Args:
            gradients: The gradients of the step, a list of tensors.
            variables: The variables that they belong to.
            learning_rate: The learning rate, without the groups' factors.

        Returns:
            A tensor, or a list, tuple or dict of tensors; or `None`.
        """
        return None

    def _backend_apply_gradients(self, grads, trainable_variables):
        if keras.backend.backend() == "tensorflow":
            # Before anything is computed from all of them, such as a norm.
            pairs = zip(grads, trainable_variables, strict=True)
            grads = [g for g, _ in self._all_reduce_sum_gradients(pairs)]
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
        averages = self._model_variables_moving_average

        def update(variable):
            # Keras goes by position, though some may be frozen by now.
            place = self._trainable_variables_indices.get(
                self._var_key(variable)
            )
            if place is not None and averages[place] is not None:
                average = ops.convert_to_tensor(averages[place])
                # A copy, since JAX does not let two variables share a buffer.
                self.assign(variable, copied(average))

        self.update_each(update, trainable_variables)

    def _clip_gradients(self, grads):
        """Keras' clipping, with fast norms in single precision."""
        if self.clipnorm and self.clipnorm > 0:
            return [
                scaled(g, self.clipnorm / ops.maximum(n, self.clipnorm))
                for g, n in zip(grads, map(norm, grads), strict=True)
            ]
        if self.global_clipnorm and self.global_clipnorm > 0:
            total = global_norm(grads)
            factor = ops.minimum(self.global_clipnorm / total, 1.0)
            # Not a number where the norm is not finite, as in Keras.
            factor = factor + (total - total)
            return [scaled(g, factor) for g in grads]
        return super()._clip_gradients(grads)

    def _apply_weight_decay(self, variables):
        # Each variable decays in its own turn, by its group.
        return

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        values = self.step_values(grads, trainable_variables, learning_rate)
        update_each(
            self,
            self._update,
            trainable_variables,
            grads,
            shared=(learning_rate, values),
        )

    def update_each(self, update, variables):
        """Runs `update(variable)` where the variables live.

        Under `tf.distribute` this is on every replica; elsewhere it is a loop.
        Inside, assign by `self.assign` and its sisters only.

        Args:
            update: Function of a variable.
            variables: The model's variables.
        """
        update_each(self, update, variables)

    def _update(self, variable, gradient, learning_rate, values):
        """One variable's step, on TensorFlow of each of its replicas."""
        index = self._get_variable_index(variable)
        if self._rate_factors[index] != 1:
            learning_rate = learning_rate * self._rate_factors[index]
        self.decay_step(variable, learning_rate)
        if values is None:
            self.update_step(gradient, variable, learning_rate)
        else:
            self.update_step(gradient, variable, learning_rate, values)

    def decay_step(self, variable, learning_rate):
        """Decays a variable before its `update_step`.

        Args:
            variable: The variable.
            learning_rate: Its learning rate.
        """
        decay = self.decay_of(variable)
        if decay:
            rate = ops.cast(learning_rate, variable.dtype)
            self.assign_sub(variable, variable * decay * rate)

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
        return self.weight_decay * self._decay_factors[index]

    def restart(self):
        """Begins again from the weights as they are now.

        Call it after the weights were replaced, as by `model.set_weights`:
        what an optimizer keeps of where the weights were does not fit the new
        ones. Momentum and the like, and the number of steps, stay. Most
        optimizers keep no such thing, and then this does nothing.
        """
        return

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
        places = range(len(self._trainable_variables))
        # Of a NumPy array, torch.compile does not know the dtype.
        return ops.convert_to_tensor([p in given for p in places], "bool")

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.names_its_state:
            save_layout(self, self.variables, store)

    def load_own_variables(self, store):
        load_state(self, self.variables, store)

    def upgraded_state(self, values):
        """The state of a file from before it named its variables, as today.

        Args:
            values: List of arrays.

        Returns:
            A list of arrays.
        """
        return values

    def _keras_config(self):
        return keras.optimizers.Optimizer.get_config(self)

    def __deepcopy__(self, memo):
        # Keras copies through a file, upon which the state is lost.
        clone = type(self).from_config(self.get_config())
        memo[id(self)] = clone
        if self.built:
            clone.build([memo.get(id(v), v) for v in self.model_variables])
            for own, other in zip(clone.variables, self.variables, strict=True):
                own.assign(copied(other))
        return clone

    @property
    def model_variables(self):
        """The variables this optimizer was built with."""
        return list(self._trainable_variables)


def _rate(optimizer, learning_rate):
    """Turns numbers into what Keras takes; leaves schedules as they are."""
    if isinstance(learning_rate, (numbers.Real, np.generic)):
        return float(in_range(optimizer, "learning_rate", learning_rate, low=0))
    if isinstance(
        learning_rate, keras.optimizers.schedules.LearningRateSchedule
    ) or callable(learning_rate):
        return learning_rate
    return fail(
        optimizer,
        "learning_rate",
        "a number >= 0, a LearningRateSchedule or a function without arguments",
        learning_rate,
    )
