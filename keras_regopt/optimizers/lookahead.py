from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.optimizers._wrapper import OptimizerWrapper


@register
class Lookahead(OptimizerWrapper):
    """Averages the way of another optimizer: k steps forward, 1 step back.

    The inner optimizer moves the model's (fast) weights. Every `sync_period`
    of its steps, a second (slow) copy of the weights moves a part of the way
    towards them, and the fast weights start again from there:

        slow = slow + slow_step_size * (fast - slow);  fast = slow

    This lowers the variance of the inner optimizer and makes it less sensitive
    to its learning rate, at the cost of one more copy of the weights. The
    state of the inner optimizer goes on unchanged over a synchronization. At
    the end of training the fast weights may be up to `sync_period - 1` steps
    ahead of the slow ones.

    Args:
        inner: Any Keras optimizer, or the name of one. Its learning rate,
            weight decay and other arguments stay its own. Not a
            `LossScaleOptimizer`, which belongs on the outside.
        sync_period: Inner steps between two synchronizations, at least 2.
            Defaults to `6`.
        slow_step_size: The part of the way that the slow weights go, in
            (0, 1]. Defaults to `0.5`.
        name: Optional name.

    Raises:
        ValueError: If an argument is out of its range, or `inner` is not an
            optimizer, is a `LossScaleOptimizer` or has another `Lookahead` in
            it.

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

    def __init__(self, inner, sync_period=6, slow_step_size=0.5, name=None):
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

    def before_step(self, variables):
        # Not at `build`, when TensorFlow may still be tracing and the weights
        # have no values yet.
        first = ops.equal(self._iterations, 0)
        self.run_if(first, lambda: self._start(variables), assigned=[self.slow])

    def after_step(self, variables, stepped):
        at_period = ops.equal(self.inner.iterations % self.sync_period, 0)
        self.run_if(
            ops.logical_and(stepped, at_period),
            lambda: self._synchronize(variables),
            assigned=[self.slow, variables],
        )

    def _start(self, variables):
        def update(variable):
            # A copy, since JAX does not let two variables share a buffer.
            self.assign(self._slow_of(variable), ops.copy(variable))

        self.update_each(update, variables)

    def _synchronize(self, variables):
        def update(variable):
            slow = self._slow_of(variable)
            way = ops.subtract(variable, slow) * self.slow_step_size
            self.assign_add(slow, way)
            self.assign(variable, ops.copy(slow))

        self.update_each(update, variables)
        self.constrain(variables)

    def _slow_of(self, variable):
        return self.slow[self._get_variable_index(variable)]
