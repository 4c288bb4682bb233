import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Nested, Range
from keras_regopt._train_step import (
    hook_models,
    note_step,
    switching_optimizers,
)
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import boolean, in_range, integer
from keras_regopt.optimizers.algorithms.adam_w import AdamW
from keras_regopt.optimizers.algorithms.sgd import SGD
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import assign_each
from keras_regopt.optimizers.wrappers._ascent import ascent
from keras_regopt.optimizers.wrappers._gradients import (
    reduced,
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
    turns: each of the first `sync_period - 1` of a period makes an ascent step
    of the length `rho` along the gradient; with the last one the inner
    optimizer makes its step, from the original weights, with the gradient at
    the perturbed ones. So one batch of `sync_period` updates the weights, which
    makes a step as cheap as without SAM but needs `sync_period` times as many:

        ascent: w' = w + rho * g(w) / ||g(w)||,   step: w = step(w, g(w')).

    The textbook's method takes both gradients of one batch. That is beyond an
    optimizer; see `SharpnessAwareModel`.

    In the middle of a period the weights are perturbed, but only while the
    model trains: `fit` and `train_on_batch` restore the original ones for
    everything else, so validation, callbacks, checkpoints and the end of
    training see the weights without perturbation. The loss that `fit` shows is
    that of all batches, also at perturbed weights. State, iterations and
    schedules of the inner optimizer count its own steps.

    Args:
        inner: Any Keras optimizer, or the name of one; not a
            `LossScaleOptimizer`, which belongs on the outside.
        rho: Length of an ascent step, at least 0. Defaults to `0.05`; for
            `adaptive=True` about ten times as much is usual.
        adaptive: Whether lengths are measured relative to the weights, so that
            a rescaled network has the same sharpness (ASAM). The ascent step is
            then `rho * w ** 2 * g / ||w * g||`. Defaults to `False`.
        sync_period: Batches for each step, at least 2. Defaults to `2`.
        name: Optional name.

    Raises:
        ValueError: If `inner` is not an optimizer, is a `LossScaleOptimizer` or
            has another `SAM` in it.

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
        2102.11600), whose small constant added to the weights is left out, as
        usual.
    """

    skips_calls = True

    search_space = {
        "inner": Nested([SGD, AdamW]),
        "rho": Range(0.01, 0.5, log=True),
    }

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
        # Of the original and the perturbed weights, those that the model does
        # not hold: usually the original ones; if swapped, the perturbed ones.
        self.stored = self.add_optimizer_variables(variables, "stored")
        self.ascent_steps, self.is_swapped = (
            self.add_variable(
                shape=(),
                dtype="int32",
                aggregation="only_first_replica",
                name=name,
            )
            for name in ("ascent_steps", "is_swapped")
        )

    def step(self, gradients, variables):
        note_step(self)
        self.run_if(
            ops.equal(self.ascent_steps, self.sync_period - 1),
            lambda: self._descend(gradients, variables),
            otherwise=lambda: self._ascend(gradients, variables),
        )

    def start_of_step(self, variable):
        # The variable itself is perturbed.
        return ops.convert_to_tensor(self._stored_of(variable))

    def switch_to_training(self):
        """Perturbs the weights again, if they were before the evaluation.

        `fit` and `train_on_batch` do this by themselves. In a loop of your
        own, call it before you train on. Under `tf.distribute`, call it
        outside of `strategy.run`.
        """
        for optimizer in switching_optimizers(self.inner):
            optimizer.switch_to_training()
        if self.built:
            self._swap_if(ops.equal(self.is_swapped, 1), is_swapped=0)

    def switch_to_evaluation(self):
        """Restores the original weights, if they are perturbed.

        In a loop of your own, call it before you evaluate or save the model.
        """
        if self.built:
            at_perturbed = ops.logical_and(
                self.ascent_steps > 0, self.is_swapped < 1
            )
            self._swap_if(at_perturbed, is_swapped=1)
        for optimizer in switching_optimizers(self.inner):
            optimizer.switch_to_evaluation()

    def restart(self):
        super().restart()
        if self.built:
            # A perturbation of the former weights is dropped.
            for variable in (self.ascent_steps, self.is_swapped):
                variable.assign(ops.zeros((), variable.dtype))

    def finalize(self, var_list):
        self.switch_to_evaluation()
        super().finalize(var_list)

    def _ascend(self, gradients, variables):
        if self.sync_period == 2:
            self._store()
        else:
            first = ops.equal(self.ascent_steps, 0)
            self.run_if(first, self._store, assigned=[self.stored])
        indices = with_gradients(gradients, variables)
        if indices:
            variables = [variables[i] for i in indices]
            gradients = [gradients[i] for i in indices]
            gradients = reduced(self, gradients, variables)
            steps = ascent(gradients, variables, self.rho, self.adaptive)
            perturbed = map(ops.add, variables, steps)
            assign_each(self, variables, list(perturbed))
        self.ascent_steps.assign_add(1)

    def _descend(self, gradients, variables):
        self.update_each(
            lambda v: self.assign(v, copied(self._stored_of(v))),
            self._all_perturbed(),
        )
        self.inner.apply(gradients, variables)
        self.ascent_steps.assign(0)

    def _store(self):
        self.update_each(
            lambda v: self.assign(self._stored_of(v), copied(v)),
            self._all_perturbed(),
        )

    def _swap_if(self, condition, is_swapped):
        self.run_if(
            condition,
            lambda: self._swap(is_swapped),
            assigned=[self._all_perturbed(), self.stored, [self.is_swapped]],
        )

    def _swap(self, is_swapped):
        def swap(variable, stored):
            value, stored_value = copied(variable), copied(stored)
            self.assign(variable, stored_value)
            self.assign(stored, value)

        for variable in self._all_perturbed():
            stored = self._stored_of(variable)
            if keras.backend.backend() == "tensorflow":
                self._distribution_strategy.extended.update(
                    variable.value, swap, args=(stored.value,), group=False
                )
            else:
                swap(variable, stored)
        self.is_swapped.assign(is_swapped)

    def _all_perturbed(self):
        """All perturbed variables, whichever have gradients in this call."""
        return [v for v in self._trainable_variables if takes_steps(v)]

    def _stored_of(self, variable):
        return self.stored[self._get_variable_index(variable)]
