"""What the optimizers that stand in for Keras' own share."""

import keras
from keras import ops

from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._groups import exclusion, exclusions
from keras_regopt.optimizers.engine._norms import sum_of_squares


class DropIn(Optimizer):
    """Base of the optimizers that make the same steps as Keras', faster.

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

    # Keras reads them, too.
    names_its_state = False

    def __init__(
        self,
        learning_rate: LearningRate,
        l1: float = 0.0,
        l2: float = 0.0,
        exclude: str | None = None,
        lazy: bool = False,
        **kwargs,
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

    def build(self, variables):
        if not self.built:
            excluded = exclusions(self, self._excluded, variables)
            self.penalized = [not e for e in excluded]
        super().build(variables)

    def kind_of(self, index, variable):
        if self.lazy and len(variable.shape) > 1:
            # A gradient of a table may come by rows.
            return None
        return (*super().kind_of(index, variable), self.penalized[index])

    def prepared(self, variable, gradient, step):
        if self.penalized[step.index]:
            if self.l2:
                gradient = gradient + variable * (2 * self.l2)
            if self.l1:
                gradient = gradient + ops.sign(variable) * self.l1
        return super().prepared(variable, gradient, step)

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
            self._trainable_variables, self.penalized, strict=True
        ):
            if not penalized or self._overwrite_variable_with_gradient(
                variable
            ):
                continue
            value = ops.stop_gradient(ops.convert_to_tensor(variable))
            value = ops.cast(value, "float32")
            if self.l1:
                total += self.l1 * ops.sum(ops.abs(value))
            if self.l2:
                total += self.l2 * sum_of_squares(value)
        return total


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
