import keras
from keras import ops

from keras_regopt._validate import fail, instance_of
from keras_regopt.optimizers._base import Optimizer


class OptimizerWrapper(Optimizer):
    """Base of the optimizers that stand around another one.

    A wrapper hands the gradients to `inner` and acts before or afterwards. A
    subclass writes `__init__`, `after_step` and, if it must, `before_step`,
    and creates its own variables in `build`. Learning rate, iterations, loss
    scale and the inner variables show through, so callbacks and
    `LossScaleOptimizer` need not know of it.

    Args:
        inner: Any Keras optimizer, or the configuration or name of one.
        name: Optional name.
    """

    def __init__(self, inner, name=None):
        inner = _inner_optimizer(self, inner)
        # Keras asks for a rate; the one in use is the inner optimizer's.
        super().__init__(learning_rate=0.0, name=name)
        self.inner = inner

    def _keras_config(self):
        # Keras' other base arguments belong to the inner optimizer.
        return {"name": self.name}

    def build(self, variables):
        if self.built:
            return
        if not self.inner.built:
            self.inner.build(variables)
        super().build(variables)

    def apply(self, grads, trainable_variables=None):
        if len(grads) == 0:
            return
        if trainable_variables is None:
            trainable_variables = self._trainable_variables
        trainable_variables = list(trainable_variables)
        if not self.built:
            with keras.name_scope(self.name):
                self.build(trainable_variables)
        # Some weights are overwritten by their gradient, as in float8 training.
        own_variables = [
            v
            for v in trainable_variables
            if not getattr(v, "overwrite_with_gradient", False)
        ]
        # A copy, since some backends change variables in place.
        before = ops.copy(ops.convert_to_tensor(self.inner.iterations))
        self.before_step(own_variables)
        self.inner.apply(grads, trainable_variables)
        # With gradient accumulation, only some calls make a step.
        stepped = ops.not_equal(self.inner.iterations, before)
        self.after_step(own_variables, stepped)
        for variable in trainable_variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._iterations.assign_add(1)

    def before_step(self, variables):
        """Acts on the variables before the inner optimizer; here not at all.

        Args:
            variables: The model's variables.
        """

    def after_step(self, variables, stepped):
        """Acts on the variables after the inner optimizer.

        Args:
            variables: The model's variables.
            stepped: Boolean scalar tensor: whether the inner optimizer really
                made a step. Without branches: multiply or select by it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`after_step(self, variables, stepped)`."
        )

    def update_each(self, update, variables):
        """Runs `update(variable)` where the variables live.

        Under `tf.distribute` this is on every replica; elsewhere it is a loop.
        Inside, assign by `self.assign` and its sisters only.

        Args:
            update: Function of a variable.
            variables: The model's variables.
        """
        if keras.backend.backend() != "tensorflow":
            for variable in variables:
                update(variable)
            return

        import tensorflow as tf

        def update_replicas(distribution, variables):
            for variable in variables:
                distribution.extended.update(variable, update, group=False)

        tf.__internal__.distribute.interim.maybe_merge_call(
            update_replicas,
            self._distribution_strategy,
            [getattr(v, "value", v) for v in variables],
        )

    @property
    def variables(self):
        return self._variables + self.inner.variables

    @property
    def iterations(self):
        return self.inner.iterations

    @property
    def learning_rate(self):
        return self.inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner.learning_rate = learning_rate

    def scale_loss(self, loss):
        return self.inner.scale_loss(loss)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        self.inner.exclude_from_weight_decay(var_list, var_names)

    def finalize_variable_values(self, var_list):
        self.inner.finalize_variable_values(var_list)

    def set_weights(self, weights):
        own = len(self._variables)
        super().set_weights(weights[:own])
        self.inner.set_weights(weights[own:])

    # Keras saves the inner optimizer by itself, as an attribute of this one.
    def save_own_variables(self, store):
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store):
        for i, variable in enumerate(self._variables):
            variable.assign(store[str(i)])


def _inner_optimizer(wrapper, inner):
    if isinstance(inner, (str, dict)):
        inner = keras.optimizers.get(inner)
    instance_of(
        wrapper,
        "inner",
        inner,
        keras.optimizers.Optimizer,
        "a Keras optimizer",
    )
    if isinstance(inner, keras.optimizers.LossScaleOptimizer):
        fail(
            wrapper,
            "inner",
            "an optimizer without loss scaling",
            inner,
            "Wrap the other way around: "
            f"LossScaleOptimizer({type(wrapper).__name__}(...)).",
        )
    return inner
