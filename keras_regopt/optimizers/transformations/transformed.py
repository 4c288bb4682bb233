from collections.abc import Sequence

from keras import ops

from keras_regopt._registry import register
from keras_regopt._sparse_gradients import dense
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import fail
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import assign_each, replicas
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
    overrides,
)
from keras_regopt.optimizers.wrappers._gradients import (
    loss_scale,
    reduced,
    with_gradients,
)
from keras_regopt.optimizers.wrappers._wrapper import OptimizerWrapper, skips


@register
class Transformed(OptimizerWrapper):
    """Another optimizer, with transformations before and after its step.

    The gradients go through the transformations in the order of the list, then
    to the inner optimizer; what its step adds to the weights goes through them
    in the same order. Use it to add centralization, clipping, noise, masking,
    sign or normalization to any optimizer.

    The weight decay of the inner optimizer is a part of what its step adds.
    Around an optimizer that does not make a step in every call, such as
    `GradientAccumulation` or `SAM`, the gradients of each call are transformed.
    Updates are transformed only in a call that makes a step. The update is then
    all that changed since the last step, without the ascent of `SAM`, and the
    gradients are those of that call. To transform the sum of several gradients
    instead, put `GradientAccumulation` on the outside.

    Under `tf.distribute`, the gradients are summed over the replicas before
    they are transformed, unless every transformation is linear.

    Args:
        inner: Any Keras optimizer, or the name of one; not a
            `LossScaleOptimizer`, which belongs on the outside.
        transformations: List of at least one `GradientTransformation`.
        name: Optional name.

    Examples:
        >>> from keras_regopt.optimizers import GradientSign
        >>> optimizer = Transformed(keras.optimizers.SGD(0.5), [GradientSign()])
        >>> weight = keras.Variable([3.0, -1.0])
        >>> optimizer.apply([keras.ops.convert_to_tensor([9.0, 0.0])], [weight])
        >>> weight.numpy().tolist()
        [2.5, -1.0]
    """

    may_repeat = True

    def __init__(
        self,
        inner: InnerOptimizer,
        transformations: Sequence[GradientTransformation],
        name: str | None = None,
    ):
        super().__init__(inner, name=name)
        self.transformations = _checked(self, transformations)
        self._acts_after = any(
            overrides(t, "transform_updates") for t in self.transformations
        )
        self._is_linear = not self._acts_after and all(
            t.is_linear for t in self.transformations
        )

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._states = [t.build(self, variables) for t in self.transformations]

    def step(self, gradients, variables):
        indices = with_gradients(gradients, variables)
        if not indices:
            self.inner.apply(gradients, variables)
            return
        active = [variables[i] for i in indices]
        complete = self._transformed([gradients[i] for i in indices], active)
        # Copies, since some backends change variables in place.
        steps = copied(self.inner.iterations)
        if self._acts_after:
            before = [copied(self.start_of_step(v)) for v in active]
        split = self._split_over_replicas(complete)
        for i, gradient in zip(indices, split, strict=True):
            gradients[i] = gradient
        self.inner.apply(gradients, variables)
        if self._acts_after:
            self.run_if(
                not skips(self.inner)
                or ops.not_equal(self.inner.iterations, steps),
                lambda: self._transform_updates(before, complete, active),
                assigned=[active, self._variables],
            )

    def _transformed(self, gradients, variables):
        if self._is_linear:
            gradients = [dense(gradient) for gradient in gradients]
        else:
            gradients = reduced(self, gradients, variables)
            gradients = _times(gradients, 1 / loss_scale(self))
        for transformation, state in self._with_states(variables):
            gradients = transformation.transform_gradients(
                gradients, variables, self._count, state
            )
        return gradients

    def _split_over_replicas(self, gradients):
        """The gradients of one replica, which the inner optimizer sums."""
        if self._is_linear:
            return gradients
        return _times(gradients, loss_scale(self) / replicas())

    def _transform_updates(self, before, gradients, variables):
        updates = [
            ops.convert_to_tensor(variable) - old
            for variable, old in zip(variables, before, strict=True)
        ]
        for transformation, state in self._with_states(variables):
            updates = transformation.transform_updates(
                updates, gradients, variables, self._count, state
            )
        after = [
            old + update for old, update in zip(before, updates, strict=True)
        ]
        assign_each(self, variables, after)
        self.constrain(variables)

    @property
    def _count(self):
        """The steps made; around one that skips calls, the calls."""
        return self._iterations if skips(self.inner) else self.iterations

    def _with_states(self, variables):
        """The transformations, each with its state for these variables."""
        indices = [self._get_variable_index(v) for v in variables]
        for transformation, states in zip(
            self.transformations, self._states, strict=True
        ):
            yield transformation, [states[index] for index in indices]


def _times(gradients, factor):
    return gradients if factor == 1 else [g * factor for g in gradients]


def _checked(wrapper, transformations):
    if (
        not isinstance(transformations, (list, tuple))
        or not transformations
        or not all(
            isinstance(t, GradientTransformation) for t in transformations
        )
    ):
        fail(
            wrapper,
            "transformations",
            "a list of at least one GradientTransformation",
            transformations,
        )
    return list(transformations)
