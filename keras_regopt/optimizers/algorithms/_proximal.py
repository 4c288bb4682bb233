from collections.abc import Sequence

from keras import ops

from keras_regopt._axes import axes, axes_within
from keras_regopt._precision import at_least_single
from keras_regopt._prox import (
    shrink_groups,
    shrink_groups_in_metric,
    soft_threshold,
)
from keras_regopt._types import LearningRate
from keras_regopt._validate import fail, in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._groups import (
    exclusion,
    exclusions,
    variable_path,
)


class ProximalOptimizer(Optimizer):
    """Base of the optimizers that apply a penalty exactly, after the gradient.

    A subclass computes where the gradient leads and calls `proximal`.

    Args:
        learning_rate: As of `Optimizer`.
        l1: Factor >= 0 on the sum of the absolute values.
        l2: Factor >= 0 on the sum of the squares.
        group: Factor >= 0 on the sum of the groups' Euclidean norms.
        exclude: Regular expression on the end of a variable's path.
        minimum: Lowest value of a weight, or `None`.
        maximum: Highest value of a weight, or `None`.
        group_axis: The axis or axes within a group; `None` for all but the
            last.
        **kwargs: Keras' arguments of every optimizer.

    Raises:
        ValueError: If `l2` meets `weight_decay`, or `group` a bound other
            than zero.
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        l1: float = 0.0,
        l2: float = 0.0,
        group: float = 0.0,
        exclude: str | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        group_axis: int | Sequence[int] | None = None,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.l1 = in_range(self, "l1", l1, low=0)
        self.l2 = in_range(self, "l2", l2, low=0)
        self.group = in_range(self, "group", group, low=0)
        self.exclude = exclude
        self._excluded = exclusion(self, exclude)
        self.minimum = in_range(self, "minimum", minimum, optional=True)
        self.maximum = in_range(
            self, "maximum", maximum, low=self.minimum, optional=True
        )
        self.group_axis = axes(self, "group_axis", group_axis, optional=True)
        if self.l2 and self.weight_decay:
            fail(
                self,
                "l2",
                "0 where `weight_decay` is given, since both shrink the "
                "weights in proportion to themselves",
                l2,
            )
        if self.group and (self.minimum or self.maximum):
            fail(
                self,
                "group",
                "0 where a bound is not zero, since there is no closed form "
                "for both",
                group,
            )

    def build(self, variables):
        if not self.built:
            excluded = exclusions(self, self._excluded, variables)
            # The axes within a group, or `None` where there is no penalty.
            self._axes = [
                None if skip else self._axes_of(variable)
                for variable, skip in zip(variables, excluded, strict=True)
            ]
        super().build(variables)

    def kind_of(self, index, variable):
        axis = self._axes[index]
        if self.group and axis:
            # A group must not be cut.
            return None
        return (*super().kind_of(index, variable), axis is None)

    def penalizes(self, variable):
        """Whether the penalty and the bounds act on a variable of the model."""
        return not self._excluded.matches(variable_path(variable))

    def penalty(self, variables=None):
        """The value of the penalty, which the training loss does not contain.

        Args:
            variables: Variables of the model. Defaults to those that the
                optimizer was built with.

        Returns:
            A scalar tensor, float32 (float64 where variables are).
        """
        if variables is None:
            variables = self.model_variables
        return ops.convert_to_tensor(
            sum(self._penalty_of(v) for v in variables if self.penalizes(v)),
            dtype=None if variables else "float32",
        )

    def _penalty_of(self, variable):
        x = ops.stop_gradient(at_least_single(variable))
        value = self.l1 * ops.sum(ops.abs(x)) + self.l2 * ops.sum(x * x)
        if not self.group:
            return value
        axis = self._axes_of(variable)
        norms = ops.sqrt(ops.sum(x * x, axis=axis)) if axis else ops.abs(x)
        return value + self.group * ops.sum(norms)

    def proximal(self, x, step, index):
        """Applies the penalty and the bounds to a point, exactly.

        Args:
            x: Where the gradient leads, in float32 or float64.
            step: The step that was made: a scalar, or a tensor like `x` with
                the step of each entry.
            index: Index of the variable that `x` is meant for.

        Returns:
            A tensor like `x`.
        """
        axis = self._axes[index]
        if axis is None:
            return x
        if self.l1:
            x = soft_threshold(x, step * self.l1)
        scale = 1 + step * (2 * self.l2) if self.l2 else 1.0
        if not self.group:
            return self._bounded(x / scale if self.l2 else x)
        # Bounds of zero let the order of the two be chosen.
        x = self._bounded(x)
        if len(getattr(step, "shape", ())):
            return shrink_groups_in_metric(x, step, scale, self.group, axis)
        return shrink_groups(x, step * self.group, axis) / scale

    def _bounded(self, x):
        if self.minimum is not None:
            x = ops.maximum(x, self.minimum)
        if self.maximum is not None:
            x = ops.minimum(x, self.maximum)
        return x

    def _axes_of(self, variable):
        """The axes within a group; none where each entry is its own group."""
        shape = tuple(variable.shape)
        if self.group_axis is None:
            return tuple(range(len(shape) - 1))
        return axes_within(
            self,
            "group_axis",
            self.group_axis,
            shape,
            what=f"{variable_path(variable)}, which is not excluded, of shape",
        )
