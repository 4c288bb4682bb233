import keras
from keras import ops

from keras_regopt._keras import layout_of
from keras_regopt._optimizer_tree import chain
from keras_regopt._precision import at_least_float32
from keras_regopt._types import InnerOptimizer
from keras_regopt._validate import fail, instance_of
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._control_dependencies import after
from keras_regopt.optimizers.engine._groups import variable_path
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._state import load_state, save_layout
from keras_regopt.optimizers.wrappers._conditional import choose, nothing


class OptimizerWrapper(Optimizer):
    """Base of the optimizers that wrap another one.

    A wrapper hands the gradients to `inner` and acts before or afterwards. A
    subclass writes `__init__`, `after_step` and, if it must, `before_step`,
    and creates its own variables in `build`. One that decides itself when the
    inner optimizer makes a step writes `step` instead. Learning rate,
    iterations, loss scale and the inner variables show through, so callbacks
    and `LossScaleOptimizer` need not know of it.

    Args:
        inner: Any Keras optimizer, or the configuration or name of one.
        name: Optional name.
    """

    # Whether one may wrap another one of its class, at any depth.
    may_repeat = False

    # Whether some calls make no step of the inner optimizer.
    skips_calls = False

    # Whether `after_step` moves the model's weights, which must then be
    # brought back under their constraints.
    moves_weights = True

    def __init__(self, inner: InnerOptimizer, name: str | None = None):
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
        self._check_variables_are_known(trainable_variables)
        with after(grads[-1:]):
            self.step(list(grads), trainable_variables)
            self._iterations.assign_add(1)

    def step(self, gradients, variables):
        """One call of `apply`, without its count.

        Args:
            gradients: List of gradients, as `apply` got them.
            variables: List of the model's variables that they belong to.
        """
        # What has no gradient makes no step either.
        own_variables = [
            variable
            for gradient, variable in zip(gradients, variables, strict=True)
            if gradient is not None and takes_steps(variable)
        ]
        # A copy, since some backends change variables in place.
        before = copied(self.inner.iterations)
        self.before_step(own_variables)
        self.inner.apply(gradients, variables)
        stepped = not skips(self.inner) or ops.not_equal(
            self.inner.iterations, before
        )
        self.after_step(own_variables, stepped)
        if self.moves_weights:
            self.run_if(
                stepped, lambda: self.constrain(variables), assigned=[variables]
            )

    def before_step(self, variables):
        """Acts on the variables before the inner optimizer; by default not.

        Args:
            variables: The model's variables.
        """
        return

    def after_step(self, variables, stepped):
        """Acts on the variables after the inner optimizer.

        Args:
            variables: The model's variables.
            stepped: Whether the inner optimizer really made a step: `True` if
                it always does, else a boolean scalar tensor. Select by it, or
                give it to `run_if`; never branch on it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`after_step(self, variables, stepped)`."
        )

    def run_if(self, condition, function, otherwise=nothing, assigned=None):
        """Runs a function in some calls alone; in the others it costs nothing.

        The functions may assign to the variables of this optimizer, the inner
        one included, and to those of the model.

        Args:
            condition: Boolean scalar tensor, the same on every replica; or a
                Python `bool`.
            function: Function without arguments.
            otherwise: What to run instead in the other calls.
            assigned: Lists of the variables that the functions assign to, which
                may hold `None`. Without, these may be all; then JAX copies more
                than it must.
        """
        variables = [*self.variables, *self._trainable_variables]
        if assigned is not None:
            assigned = [v for some in assigned for v in some if v is not None]
        choose(condition, function, otherwise, variables, assigned)

    def start_of_step(self, variable):
        """The weights at which the inner optimizer's step begins, as a tensor.

        Mostly the variable itself. Valid only in a call that makes a step.

        Args:
            variable: One of the model's variables.
        """
        if isinstance(self.inner, OptimizerWrapper):
            return self.inner.start_of_step(variable)
        return ops.convert_to_tensor(variable)

    def constrain(self, variables):
        """Brings variables back under their constraints.

        Args:
            variables: The model's variables.
        """
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))

    def add_precise_variable(self, variable, name, **options):
        """An own variable like the model's, of single precision at least.

        Where small numbers are summed up, one of half precision stands still.

        Args:
            variable: The model's variable.
            name: What to call the new one.
            **options: Further arguments of `keras.Variable`.

        Returns:
            A variable of zeros.
        """
        path = variable_path(variable).replace("/", "_")
        with keras.name_scope(self.name, caller=self):
            own = keras.Variable(
                "zeros",
                shape=variable.shape,
                dtype=at_least_float32(variable.dtype),
                trainable=False,
                layout=layout_of(variable),
                name=f"{path}_{name}",
                **options,
            )
        self._track_variable(own)
        return own

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

    def finalize(self, var_list):
        self.inner.finalize_variable_values(var_list)

    def set_weights(self, weights):
        own = len(self._variables)
        super().set_weights(weights[:own])
        self.inner.set_weights(weights[own:])

    # Keras saves the inner optimizer by itself, as an attribute of this one.
    def save_own_variables(self, store):
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable.numpy()
        save_layout(self, self._variables, store)

    def load_own_variables(self, store):
        load_state(self, self._variables, store)

    def restart(self):
        """Begins again from the weights as they are now; so does `inner`."""
        restart = getattr(self.inner, "restart", None)
        if restart is not None:
            restart()


def skips(optimizer):
    """Whether some calls of an optimizer make no step."""
    return any(
        o.gradient_accumulation_steps or getattr(o, "skips_calls", False)
        for o in chain(optimizer)
    )


def takes_steps(variable):
    """Whether a variable is not just overwritten by its gradient.

    That is what happens to the scales of float8 training.
    """
    return not getattr(variable, "overwrite_with_gradient", False)


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
    name = type(wrapper).__name__
    if not wrapper.may_repeat and any(
        type(o) is type(wrapper) for o in chain(inner)
    ):
        fail(
            wrapper,
            "inner",
            f"an optimizer without another {name} in it",
            inner,
            f"Keep one {name}.",
        )
    return inner
