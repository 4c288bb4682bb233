from keras import ops

from keras_regopt._registry import register
from keras_regopt._sparse_gradients import dense
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import boolean, positive_int
from keras_regopt.optimizers.engine._replicas import replicas
from keras_regopt.optimizers.wrappers._wrapper import (
    OptimizerWrapper,
    takes_steps,
)


@register
class GradientAccumulation(OptimizerWrapper):
    """Collects the gradients of several batches for one step.

    Every `steps` calls, the inner optimizer makes one step with the mean of
    their gradients. That is the step on a batch `steps` times as large, if the
    loss is a mean over equally large batches: use it where the large batch does
    not fit into memory. In the other calls nothing happens but an addition to
    the collected gradients: weights, moments, moving averages, constraints,
    iterations and schedules of the inner optimizer stand still. (With Keras'
    own `gradient_accumulation_steps`, averages and constraints go on in every
    call.)

    Under `tf.distribute`, each replica collects its own gradients, and the sum
    over the replicas is taken only for the step. Inside of a
    `LossScaleOptimizer`, a batch whose gradients are not finite does not
    count. Gradients that are left over at the end of an epoch go into the
    first step of the next one. Statistics of batch normalization are those of
    the small batches.

    Args:
        inner: Any Keras optimizer, or the name of one; not a
            `LossScaleOptimizer`, which belongs on the outside. Its schedule and
            its other periods count steps, not calls.
        steps: Calls for each step, at least 1.
        average: Whether the step is made with the mean of the gradients, or
            else with their sum. Defaults to `True`.
        name: Optional name.

    Raises:
        ValueError: If `inner` is not an optimizer, is a `LossScaleOptimizer` or
            has another `GradientAccumulation` in it.

    Examples:
        >>> optimizer = GradientAccumulation(keras.optimizers.SGD(0.5), steps=2)
        >>> weight = keras.Variable([3.0])
        >>> for gradient in (1.0, 3.0):
        ...     optimizer.apply(
        ...         [keras.ops.convert_to_tensor([gradient])], [weight]
        ...     )
        >>> weight.numpy().tolist(), int(optimizer.iterations)
        ([2.0], 1)

    References:
        `MultiSteps` in optax's `transforms/_accumulation.py`.
    """

    def __init__(
        self,
        inner: InnerOptimizer,
        steps: int,
        average: bool = True,
        name: str | None = None,
    ):
        super().__init__(inner, name=name)
        self.steps = positive_int(self, "steps", steps)
        self.average = boolean(self, "average", average)

    @property
    def skips_calls(self):
        return self.steps > 1

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.collected = [self._add_collector(v) for v in variables]

    def step(self, gradients, variables):
        self.run_if(
            ops.equal((self._iterations + 1) % self.steps, 0),
            lambda: self._make_step(gradients, variables),
            otherwise=lambda: self._collect(gradients, variables),
        )

    def _collect(self, gradients, variables):
        for collector, gradient, variable in self._known(gradients, variables):
            if takes_steps(variable):
                # Sparse gradients touch only their rows, but what is summed
                # over replicas when it is read cannot be changed by rows.
                if replicas() > 1:
                    gradient = dense(gradient)
                self.assign_add(collector, gradient)
            else:
                self.assign(collector, ops.maximum(collector, gradient))

    def _make_step(self, gradients, variables):
        complete = list(gradients)
        known = list(self._known(gradients, variables))
        indices = [i for i, g in enumerate(gradients) if g is not None]
        for i, (collector, gradient, variable) in zip(
            indices, known, strict=True
        ):
            gradient = dense(gradient)
            if not takes_steps(variable):
                total = ops.maximum(collector, gradient)
            else:
                total = ops.add(collector, gradient)
                if self.average:
                    total = total / self.steps
            complete[i] = ops.cast(total, gradient.dtype)
        self.inner.apply(complete, variables)
        for collector, _, _ in known:
            self.assign(collector, ops.zeros(collector.shape, collector.dtype))

    def _known(self, gradients, variables):
        """Triples of collector, gradient and weight, where there is a gradient.

        Variables without one are left to the inner optimizer.
        """
        for gradient, variable in zip(gradients, variables, strict=True):
            if gradient is not None:
                index = self._get_variable_index(variable)
                yield self.collected[index], gradient, variable

    def _add_collector(self, variable):
        return self.add_precise_variable(
            variable, "collected", aggregation="sum", synchronization="on_read"
        )
