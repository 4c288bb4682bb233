"""What the optimizers that stand in for Keras' own share."""

import keras
from keras import ops

from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.optimizers import _rows, _tensorflow, _torch
from keras_regopt.optimizers._base import Optimizer
from keras_regopt.optimizers._groups import exclusion, exclusions
from keras_regopt.optimizers._norms import sum_of_squares
from keras_regopt.optimizers._numerics import wide_dtype
from keras_regopt.optimizers._slots import Slots


class DropIn(Optimizer):
    """Base of the optimizers that make the same steps as Keras', faster.

    A subclass names its state in `slot_names` and writes its algorithm once, as
    a function of tensors, in `formula`. This class runs it: on TensorFlow as
    one compiled pass, with the state of small variables held together; on JAX
    as it is. On torch, `torch_step` may bring the lists' own functions.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments.
        l1: Strength >= 0 of an L1 penalty whose gradient the update adds. The
            numbers are those of `keras.regularizers.L1L2`, except that the
            penalty's gradient is not clipped. Defaults to `0.0`.
        l2: Strength >= 0 of an L2 penalty, likewise. Defaults to `0.0`.
        exclude: Optional regular expression on the end of a variable's path,
            read as that of a `ParameterGroup`: variables without penalty, such
            as `"bias|gamma|beta"`.
        lazy: Whether, of a variable whose gradient is a `tf.IndexedSlices`,
            only the rows that appear are updated, in weights and state; only
            on TensorFlow. Defaults to `False`.
        **kwargs: `groups` and Keras' base arguments.

    Raises:
        ValueError: If an argument is out of its range, or `lazy` stands with
            another backend or with gradient accumulation.
    """

    # State whose first value is not zero: its name and the argument that says.
    initial_values = {}

    def __init__(
        self, learning_rate, l1=0.0, l2=0.0, exclude=None, lazy=False, **kwargs
    ):
        super().__init__(learning_rate, **kwargs)
        self.l1 = in_range(self, "l1", l1, low=0)
        self.l2 = in_range(self, "l2", l2, low=0)
        self.exclude = exclude
        self._excluded = exclusion(self, exclude)
        self.lazy = boolean(self, "lazy", lazy)
        if lazy:
            _check_lazy(self)

    @property
    def takes_sparse_gradients(self):
        return self.lazy

    def slot_names(self):
        """The names of the state of each variable, in the order of Keras' file.

        Returns:
            A list of tuples. Within a tuple the states of one variable stand
            side by side in the file, one tuple follows the other.
        """
        return []

    def formula(self, variable, gradient, slots, rate, values):
        """The algorithm, as a function of tensors.

        Args:
            variable: The value of the variable, already decayed.
            gradient: Its gradient.
            slots: Its state, a list in the order of `slot_names`.
            rate: Its learning rate, a scalar tensor of the same dtype.
            values: What `step_values` returned.

        Returns:
            The new value, and the list of the new state.
        """
        raise NotImplementedError

    def torch_step(self, variables, gradients, slots, rate, values):
        """The algorithm on lists of torch tensors, in place.

        Args:
            variables: Tensors of one dtype and device, already decayed.
            gradients: Their gradients.
            slots: A list of lists, in the order of `slot_names`.
            rate: Their learning rate, a Python number or a scalar tensor.
            values: What `step_values` returned.
        """
        raise NotImplementedError

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        excluded = exclusions(self, self._excluded, variables)
        self._penalized = [not e for e in excluded]
        flat = _tensorflow.buckets(self, variables)
        self._slots = Slots(self, variables, flat)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` must be called before the "
                "optimizer is built, which happens in its first step."
            )
        super().exclude_from_weight_decay(var_list, var_names)

    def penalty(self):
        """The value of the L1 and L2 penalty, which no step computes.

        Returns:
            A scalar tensor.

        Raises:
            ValueError: If the optimizer is not built, so that it does not know
                the variables.
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} does not know the variables yet. Call "
                "`build(model.trainable_variables)` or train the model first."
            )
        total = ops.zeros((), "float32")
        for variable, penalized in zip(
            self._trainable_variables, self._penalized, strict=True
        ):
            if not penalized or self._overwrite_variable_with_gradient(
                variable
            ):
                continue
            value = ops.stop_gradient(ops.convert_to_tensor(variable))
            value = ops.cast(value, "float32")
            total += self.l1 * ops.sum(ops.abs(value))
            total += self.l2 * sum_of_squares(value)
        return total

    def decay_step(self, variable, learning_rate):
        # The decay is part of the pass over the variable.
        return

    def update_step(self, gradient, variable, learning_rate, values=None):
        index = self._get_variable_index(variable)
        slots = self._slots.of(index)
        if _rows.is_sparse(gradient):
            _rows.update(self, gradient, variable, slots, learning_rate, values)
            return
        value, states = self.stepped(
            ops.convert_to_tensor(variable),
            ops.convert_to_tensor(gradient),
            [ops.convert_to_tensor(slot) for slot in slots],
            learning_rate,
            self.decay_of(variable),
            self._penalized[index],
            values,
        )
        for slot, state in zip(slots, states, strict=True):
            self.assign(slot, state)
        self.assign(variable, value)

    def stepped(
        self, variable, gradient, slots, rate, decay, penalized, values
    ):
        """One step with penalty and decay, as a function of tensors.

        Half precision is computed in single precision, in which the powers of
        the betas do not vanish, and rounded at the end.

        Args:
            variable: The value of the variable.
            gradient: Its gradient.
            slots: Its state.
            rate: Its learning rate.
            decay: Its weight decay, a Python number.
            penalized: Whether the penalties count for it.
            values: What `step_values` returned.

        Returns:
            The new value and the list of the new state, in their own dtypes.
        """
        dtype = keras.backend.standardize_dtype(variable.dtype)
        wide = wide_dtype(dtype)
        variable, gradient, rate = (
            ops.cast(x, wide) for x in (variable, gradient, rate)
        )
        if values is not None:
            values = ops.cast(values, wide)
        if penalized and self.l2:
            gradient = gradient + variable * (2 * self.l2)
        if penalized and self.l1:
            gradient = gradient + ops.sign(variable) * self.l1
        if decay:
            variable = variable - variable * (rate * decay)
        slots = [ops.cast(slot, wide) for slot in slots]
        value, states = self.formula(variable, gradient, slots, rate, values)
        return ops.cast(value, dtype), [ops.cast(s, dtype) for s in states]

    def assign(self, variable, value):
        if hasattr(variable, "assign_slice"):
            variable.assign(value)
        else:
            super().assign(variable, value)

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        backend = keras.backend.backend()
        if backend == "torch":
            step = _torch.update
        elif backend == "tensorflow" and _tensorflow.stands_alone(self):
            step = _tensorflow.update
        else:
            if backend == "jax":
                grads = [_rows.dense(g) for g in grads]
            super()._backend_update_step(
                grads, trainable_variables, learning_rate
            )
            return
        step(self, grads, trainable_variables, learning_rate)

    @property
    def variables(self):
        """The state in the order of Keras' own, whatever it is in memory."""
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


def _check_lazy(optimizer):
    if keras.backend.backend() != "tensorflow":
        fail(
            optimizer,
            "lazy",
            f"False on the {keras.backend.backend()} backend, where the "
            "gradients of embeddings are dense",
            True,
            "To load a model that was saved with it, use "
            "`load_model(path, compile=False)`.",
        )
    if optimizer.gradient_accumulation_steps:
        fail(
            optimizer,
            "lazy",
            "False with `gradient_accumulation_steps`, which make the "
            "gradients dense",
            True,
        )
