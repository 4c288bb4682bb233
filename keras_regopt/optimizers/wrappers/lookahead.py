import keras
import numpy as np
from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import in_range, integer
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.wrappers._wrapper import OptimizerWrapper


@register
class Lookahead(OptimizerWrapper):
    """Averages the path of another optimizer: k steps forward, 1 step back.

    The inner optimizer moves the model's (fast) weights. Every `sync_period`
    of its steps, a second (slow) copy of the weights moves towards them, and
    the fast weights start again from there:

        slow = slow + slow_step_size * (fast - slow);  fast = slow

    This lowers the variance of the inner optimizer and makes it less sensitive
    to its learning rate, at the cost of one more copy of the weights. The
    state of the inner optimizer goes on unchanged over a synchronization. At
    the end of training the fast weights may be up to `sync_period - 1` steps
    ahead of the slow ones.

    Each weight has a count of its own, so weights that join later (frozen
    first, say) begin where they are when they join. After the weights were
    replaced from outside, as by `model.set_weights`, call `restart()`, or the
    next synchronization moves them back towards the old ones.

    Args:
        inner: Any Keras optimizer, or the name of one. Its learning rate,
            weight decay and other arguments stay its own. Not a
            `LossScaleOptimizer`, which belongs on the outside.
        sync_period: Inner steps between two synchronizations, at least 2.
            Defaults to `6`.
        slow_step_size: Fraction of the difference that the slow weights move,
            in (0, 1]. Defaults to `0.5`.
        name: Optional name.

    Raises:
        ValueError: If `inner` is not an optimizer, is a `LossScaleOptimizer` or
            has another `Lookahead` in it.

    Examples:
        >>> optimizer = Lookahead(keras.optimizers.Adam(0.01), sync_period=5)
        >>> round(float(optimizer.learning_rate), 6)
        0.01

    References:
        Zhang et al. 2019, Lookahead optimizer: k steps forward, 1 step back
        (arXiv 1907.08610).
    """

    # Only synchronizations do; see `_synchronize`.
    moves_weights = False

    def __init__(
        self,
        inner: InnerOptimizer,
        sync_period: int = 6,
        slow_step_size: float = 0.5,
        name: str | None = None,
    ):
        super().__init__(inner, name=name)
        self.sync_period = integer(self, "sync_period", sync_period, low=2)
        self.slow_step_size = in_range(
            self, "slow_step_size", slow_step_size, above=0, high=1
        )

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.slow = self.add_optimizer_variables(variables, "slow")
        # The steps of each variable; -1 while its slow copy has not begun.
        self.steps = self.add_variable(
            shape=(len(variables),),
            initializer=keras.initializers.Constant(-1),
            dtype="int32",
            aggregation="only_first_replica",
            name="steps",
        )

    def before_step(self, variables):
        # Not at `build`, when TensorFlow may still be tracing and the weights
        # have no values yet.
        begin = ops.logical_and(self.among(variables), self.steps < 0)
        self.run_if(
            ops.any(begin),
            lambda: self._start(variables, begin),
            assigned=[self.slow, [self.steps]],
        )

    def after_step(self, variables, stepped):
        made = ops.logical_and(self.among(variables), stepped)
        steps = self.steps + ops.cast(made, "int32")
        self.steps.assign(steps)
        due = ops.logical_and(made, ops.equal(steps % self.sync_period, 0))
        self.run_if(
            ops.any(due),
            lambda: self._synchronize(variables, due),
            assigned=[self.slow, variables],
        )

    def restart(self):
        super().restart()
        if self.built:
            self.steps.assign(np.full(self.steps.shape, -1, "int32"))

    def upgraded_state(self, values):
        # Files from before the variables were counted one by one.
        if len(values) == len(self._variables) - 1:
            steps = int(np.max(np.asarray(values[0]))) or -1
            values = [*values, np.full(self.steps.shape, steps, "int32")]
        return values

    def _start(self, variables, begin):
        def update(variable):
            slow = self._slow_of(variable)
            # A copy, since JAX does not let two variables share a buffer.
            value = ops.where(
                begin[self._get_variable_index(variable)],
                ops.convert_to_tensor(variable),
                ops.convert_to_tensor(slow),
            )
            self.assign(slow, copied(value))

        self.update_each(update, variables)
        self.steps.assign(
            ops.where(begin, 0, ops.convert_to_tensor(self.steps))
        )

    def _synchronize(self, variables, due):
        def update(variable):
            slow = self._slow_of(variable)
            own = due[self._get_variable_index(variable)]
            fast, former = (ops.convert_to_tensor(v) for v in (variable, slow))
            met = former + (fast - former) * self.slow_step_size
            # Copies, since some backends change variables in place.
            fast, former = (
                copied(ops.where(own, met, value)) for value in (fast, former)
            )
            self.assign(slow, former)
            self.assign(variable, fast)

        self.update_each(update, variables)
        self.constrain(variables)

    def _slow_of(self, variable):
        return self.slow[self._get_variable_index(variable)]
