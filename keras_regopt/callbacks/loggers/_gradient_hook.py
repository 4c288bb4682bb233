"""Lets a train step hand out the norms of the gradients that it used.

Nothing is kept in variables, which JAX would have to pass along and a saved
model would contain. The optimizer's `apply` notes the norms while the step is
traced or run; the train step adds them to its logs, as one tensor; and the
train function, which `fit` calls, takes them out of the logs again.
"""

import functools
import threading

import keras
from keras import ops

from keras_regopt.callbacks._override import override, take_back

_KIND = "gradient norms"
_APPLY = "stateless_apply", "apply"
# No metric has this name.
_KEY = "keras_regopt/gradient_norms"


class GradientHook:
    """Hooks into a model, from `attach()` to `detach()`.

    Args:
        model: A compiled model.
        groups: Function of the variables of a step, and of all that the
            optimizer knows, also those that are frozen in this step. It
            returns the group of each of the former, an integer from 0, and
            the number of groups.
        receive: Function that gets the norms of each step: a tensor with that
            of all gradients, then of each group.
    """

    def __init__(self, model, groups, receive):
        self._model = model
        self._optimizer = model.optimizer
        self._groups = groups
        self._receive = receive
        # Of the step that is being traced or run, by the thread of a replica.
        self._noted = threading.local()

    def attach(self):
        # What a training that ended by an error has left.
        self._take_back()
        self._override_apply()
        self._override_train_step()
        override(self._model, "make_train_function", _KIND, self._taking_out)
        self._model.make_train_function(force=True)

    def detach(self):
        self._take_back()
        self._model.make_train_function(force=True)

    def _take_back(self):
        for name in ("make_train_function", "train_step"):
            take_back(self._model, name, _KIND)
        for optimizer in (self._optimizer, self._model.optimizer):
            for name in _APPLY:
                take_back(optimizer, name, _KIND)

    def _override_apply(self):
        name, note = "apply", self._noting
        if keras.backend.backend() == "jax":
            name, note = "stateless_apply", self._noting_stateless
        override(self._optimizer, name, _KIND, note)

    def _follow_optimizer(self):
        """Goes over to the optimizer of a model that was compiled anew."""
        if self._model.optimizer is not self._optimizer:
            for name in _APPLY:
                take_back(self._optimizer, name, _KIND)
            self._optimizer = self._model.optimizer
            self._override_apply()

    def _override_train_step(self):
        override(self._model, "train_step", _KIND, self._handing_out)

    def _noting(self, apply):
        def noting_apply(grads, trainable_variables=None):
            variables = trainable_variables
            if variables is None:
                variables = self._optimizer._trainable_variables
            scale = _loss_scale(self._optimizer)
            self._noted.norms = self._norms(grads, list(variables), scale)
            return apply(grads, trainable_variables)

        return noting_apply

    def _noting_stateless(self, apply):
        def noting_apply(optimizer_variables, grads, trainable_variables):
            optimizer = self._optimizer
            if not optimizer.built:
                # Keras says so in its own words.
                return apply(optimizer_variables, grads, trainable_variables)
            mapping = zip(optimizer.variables, optimizer_variables, strict=True)
            with keras.StatelessScope(list(mapping)):
                scale = _loss_scale(optimizer)
                variables = optimizer._trainable_variables
                self._noted.norms = self._norms(grads, variables, scale)
            return apply(optimizer_variables, grads, trainable_variables)

        return noting_apply

    def _norms(self, grads, variables, scale):
        """All norms as one tensor; without a gradient it is zero."""
        grads = _of_all_replicas(list(grads))
        known = getattr(self._optimizer, "_trainable_variables", [])
        groups, number = self._groups(variables, known)
        sums = [ops.zeros(())] * number
        for gradient, variable, group in zip(
            grads, variables, groups, strict=True
        ):
            # The scales of float8 training come in the place of gradients.
            is_scale = getattr(variable, "overwrite_with_gradient", False)
            if gradient is not None and not is_scale:
                sums[group] = sums[group] + _sum_of_squares(gradient)
        return ops.sqrt(ops.stack([sum(sums), *sums])) / scale

    def _handing_out(self, train_step):
        def train_step_with_norms(*arguments):
            self._follow_optimizer()
            self._noted.norms = None
            result = train_step(*arguments)
            norms, self._noted.norms = self._noted.norms, None
            if norms is None:
                raise RuntimeError(
                    "GradientNormLogger saw no gradients: the train step of "
                    f"{type(self._model).__name__} does not hand them to "
                    "`self.optimizer`."
                )
            if keras.backend.backend() == "jax":
                logs, state = result
                return {**logs, _KEY: norms}, state
            return {**result, _KEY: norms}

        return train_step_with_norms

    def _taking_out(self, make_train_function):
        def make(force=False):
            if force or self._model.optimizer is not self._optimizer:
                # A new function, since JAX keeps what it has compiled by it.
                take_back(self._model, "train_step", _KIND)
                self._override_train_step()
            before = self._model.train_function
            made = make_train_function(force=force)
            function = self._model.train_function
            if function is not before:
                self._model.train_function = self._without_norms(function)
            return made

        return make

    def _without_norms(self, function):
        @functools.wraps(function)
        def train_function(*arguments):
            result = function(*arguments)
            is_jax = keras.backend.backend() == "jax"
            logs = dict(result[0] if is_jax else result)
            self._receive(logs.pop(_KEY))
            return (logs, *result[1:]) if is_jax else logs

        return train_function


def _loss_scale(optimizer):
    """What the loss was multiplied by, a number or a scalar tensor."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        # Before it is built, the first step is scaled by the initial value.
        if not optimizer.built:
            return optimizer.initial_scale
        return ops.convert_to_tensor(optimizer.dynamic_scale)
    factor = None
    while optimizer is not None and factor is None:
        factor = optimizer.loss_scale_factor
        optimizer = getattr(optimizer, "inner", None)
    return factor or 1.0


def _of_all_replicas(gradients):
    """The gradients of the whole batch, of which a replica has a summand."""
    if keras.backend.backend() != "tensorflow":
        return gradients
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients
    own = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, own))
    return [None if g is None else next(summed) for g in gradients]


def _sum_of_squares(gradient):
    if keras.backend.backend() == "tensorflow":
        gradient = _rows_that_appear(gradient)
    # Half precision would overflow.
    return ops.sum(ops.square(ops.cast(gradient, "float32")))


def _rows_that_appear(gradient):
    """A `tf.IndexedSlices` as a tensor that has each of its rows once."""
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    if tf.__internal__.get_enclosing_xla_context() is not None:
        # XLA needs to know how many there are.
        return tf.convert_to_tensor(gradient)
    rows, places = tf.unique(gradient.indices)
    return tf.math.unsorted_segment_sum(
        gradient.values, places, tf.shape(rows)[0]
    )
