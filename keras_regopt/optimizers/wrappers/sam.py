import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._train_step import (
    hook_models,
    note_step,
    switching_optimizers,
)
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import boolean, in_range, integer
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import assign_each
from keras_regopt.optimizers.wrappers._ascent import ascent
from keras_regopt.optimizers.wrappers._gradients import (
    summed,
    with_gradients,
)
from keras_regopt.optimizers.wrappers._wrapper import (
    OptimizerWrapper,
    takes_steps,
)


@register
class SAM(OptimizerWrapper):
    """Sharpness-aware minimization, with the two gradients of two batches.

    Looks for weights in whose whole neighborhood the loss is low. Batches take
    turns: with the first `sync_period - 1` of a period the weights climb, each
    time by the length `rho` along the gradient; with the last one the inner
    optimizer makes its step, from where the climb began, with the gradient at
    where it led. So one batch of `sync_period` updates the weights, which makes
    a step as cheap as without SAM but needs `sync_period` times as many:

        climb: w' = w + rho * g(w) / ||g(w)||,   step: w = step(w, g(w')).

    The textbook's method takes both gradients of one batch. That is beyond an
    optimizer; see `SharpnessAwareModel`.

    In the middle of a period the weights stand at the top of a climb, but only
    while the model trains: `fit` and `train_on_batch` put them back whenever
    something else has its turn, so validation, callbacks, checkpoints and the
    end of training see the weights without it. The loss that `fit` shows is
    that of all batches, also of those at the top. State, iterations and
    schedules of the inner optimizer count its own steps.

    Args:
        inner: Any Keras optimizer, or the name of one; not a
            `LossScaleOptimizer`, which belongs on the outside.
        rho: Length of a climb, at least 0. Defaults to `0.05`; for
            `adaptive=True` about ten times as much is usual.
        adaptive: Whether lengths are measured relative to the weights, so that
            a rescaled network has the same sharpness (ASAM). The climb is then
            `rho * w ** 2 * g / ||w * g||`. Defaults to `False`.
        sync_period: Batches for each step, at least 2. Defaults to `2`.
        name: Optional name.

    Raises:
        ValueError: If an argument is out of its range, or `inner` is not an
            optimizer, is a `LossScaleOptimizer` or has another `SAM` in it.

    Examples:
        >>> optimizer = SAM(keras.optimizers.SGD(1.0), rho=0.5)
        >>> weight = keras.Variable([3.0])
        >>> optimizer.apply([keras.ops.convert_to_tensor([9.0])], [weight])
        >>> weight.numpy().tolist()
        [3.5]
        >>> optimizer.apply([keras.ops.convert_to_tensor([1.0])], [weight])
        >>> weight.numpy().tolist()
        [2.0]

    References:
        Foret et al. 2021, Sharpness-aware minimization for efficiently
        improving generalization (arXiv 2010.01412), as in optax's
        `contrib.sam` with `opaque_mode=False`; Kwon et al. 2021, ASAM (arXiv
        2102.11600), whose small constant beside the weights is left out, as
        usual.
    """

    skips_calls = True

    def __init__(
        self,
        inner: InnerOptimizer,
        rho: float = 0.05,
        adaptive: bool = False,
        sync_period: int = 2,
        name: str | None = None,
    ):
        super().__init__(inner, name=name)
        self.rho = in_range(self, "rho", rho, low=0)
        self.adaptive = boolean(self, "adaptive", adaptive)
        self.sync_period = integer(self, "sync_period", sync_period, low=2)
        hook_models()

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # Of the weights at the top and those where the climb began, the ones
        # that the model does not hold.
        self.others = self.add_optimizer_variables(variables, "other")
        self.climbs, self.is_back = (
            self.add_variable(
                shape=(),
                dtype="int32",
                aggregation="only_first_replica",
                name=name,
            )
            for name in ("climbs", "is_back")
        )

    def step(self, gradients, variables):
        note_step(self)
        self.run_if(
            ops.equal(self.climbs, self.sync_period - 1),
            lambda: self._descend(gradients, variables),
            otherwise=lambda: self._climb(gradients, variables),
        )

    def start_of_step(self, variable):
        # The variable itself is at the top.
        return ops.convert_to_tensor(self._other_of(variable))

    def switch_to_training(self):
        """Puts the weights to the top again, if they came from there.

        `fit` and `train_on_batch` do this by themselves. In a loop of your
        own, call it before you train on. Under `tf.distribute`, call it
        outside of `strategy.run`.
        """
        for optimizer in switching_optimizers(self.inner):
            optimizer.switch_to_training()
        if self.built:
            self._swap_if(ops.equal(self.is_back, 1), is_back=0)

    def switch_to_evaluation(self):
        """Puts the weights back to where they climbed from, if they did.

        In a loop of your own, call it before you evaluate or save the model.
        """
        if self.built:
            at_top = ops.logical_and(self.climbs > 0, self.is_back < 1)
            self._swap_if(at_top, is_back=1)
        for optimizer in switching_optimizers(self.inner):
            optimizer.switch_to_evaluation()

    def restart(self):
        super().restart()
        if self.built:
            # A climb that began at the former weights is given up.
            for variable in (self.climbs, self.is_back):
                variable.assign(ops.zeros((), variable.dtype))

    def finalize(self, var_list):
        self.switch_to_evaluation()
        super().finalize(var_list)

    def _climb(self, gradients, variables):
        if self.sync_period == 2:
            self._remember()
        else:
            first = ops.equal(self.climbs, 0)
            self.run_if(first, self._remember, assigned=[self.others])
        places = with_gradients(gradients, variables)
        if places:
            variables = [variables[place] for place in places]
            gradients = [gradients[place] for place in places]
            gradients = summed(self, gradients, variables)
            ways = ascent(gradients, variables, self.rho, self.adaptive)
            tops = [ops.add(v, w) for v, w in zip(variables, ways, strict=True)]
            assign_each(self, variables, tops)
        self.climbs.assign_add(1)

    def _descend(self, gradients, variables):
        self.update_each(
            lambda v: self.assign(v, copied(self._other_of(v))),
            self._perturbed(),
        )
        self.inner.apply(gradients, variables)
        self.climbs.assign(0)

    def _remember(self):
        self.update_each(
            lambda v: self.assign(self._other_of(v), copied(v)),
            self._perturbed(),
        )

    def _swap_if(self, condition, is_back):
        self.run_if(
            condition,
            lambda: self._swap(is_back),
            assigned=[self._perturbed(), self.others, [self.is_back]],
        )

    def _swap(self, is_back):
        def swap(variable, other):
            value, other_value = copied(variable), copied(other)
            self.assign(variable, other_value)
            self.assign(other, value)

        for variable in self._perturbed():
            other = self._other_of(variable)
            if keras.backend.backend() == "tensorflow":
                self._distribution_strategy.extended.update(
                    variable.value, swap, args=(other.value,), group=False
                )
            else:
                swap(variable, other)
        self.is_back.assign(is_back)

    def _perturbed(self):
        # All of them, whichever have gradients in this call.
        return [v for v in self._trainable_variables if takes_steps(v)]

    def _other_of(self, variable):
        return self.others[self._get_variable_index(variable)]
