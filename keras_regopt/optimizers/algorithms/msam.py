import numpy as np
from keras import ops

from keras_regopt._precision import at_least_float32
from keras_regopt._registry import register
from keras_regopt._train_step import hook_models, note_step
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._norms import global_norm
from keras_regopt.optimizers.engine._numerics import copied


@register
class MSAM(Optimizer):
    """SGD with momentum whose gradients are taken a fixed distance ahead.

    Sharpness-aware minimization looks for flat minima by gradients at shifted
    weights, and pays with a second gradient in each step to find the shift.
    Momentum-SAM takes the momentum for it and needs no second gradient:

        g = gradient at  w - rho * v / norm(v)
        v = momentum * v + g
        w = w - learning_rate * v,

    where the norm is that of all variables together. As the shift goes where
    the next step will go, this is Nesterov's momentum with a distance ahead
    that the learning rate does not change, and not the ascent of `SAM`. Use it
    instead of `SGD` with momentum where that generalizes better than Adam.

    `fit` and `train_on_batch` shift the weights only while a step runs, so
    validation, callbacks and files see the weights themselves. In a loop of
    your own that calls `apply`, **the variables stay shifted between the
    steps**: call `unperturb()` before you use them, and `perturb()` before you
    train on. With `use_ema`, the average is one of shifted weights.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.1`.
        momentum: Decay of the momentum, in [0, 1). Defaults to `0.9`.
        rho: Length of the shift, a number >= 0, whatever the learning rate;
            `0` is plain SGD with momentum. The authors use 3 for CIFAR-100 and
            0.3 for ResNet-50 on ImageNet. Defaults to `0.3`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `gradient_accumulation_steps`. `weight_decay` times the weights is
            added to the gradient, as in the authors' code.

    Examples:
        >>> weight = keras.Variable([1.0])
        >>> optimizer = MSAM(learning_rate=0.1, rho=0.5)
        >>> optimizer.apply([keras.ops.convert_to_tensor([2.0])], [weight])
        >>> round(float(weight.numpy()[0]), 3)
        0.3
        >>> optimizer.unperturb()
        >>> round(float(weight.numpy()[0]), 3)
        0.8

    References:
        Becker et al. 2024, Momentum-SAM: sharpness aware minimization without
        computational overhead (arXiv 2401.12033), and the authors' code,
        MarlonBecker/MSAM.
    """

    decays_itself = True

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
        momentum: float = 0.9,
        rho: float = 0.3,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.momentum = in_range(self, "momentum", momentum, low=0, below=1)
        self.rho = in_range(self, "rho", rho, low=0)
        hook_models()

    def slot_names(self):
        return [("momentum",)]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # The multiple of its momentum that each weight is shifted by now.
        self.shift = self.add_variable(
            shape=(len(variables),),
            dtype="float32",
            name="shift",
            aggregation="only_first_replica",
        )

    def step_values(self, gradients, variables, learning_rate):
        note_step(self)
        (squares,) = self.totals(self._squares, gradients, variables)
        length = ops.sqrt(ops.sum(squares))
        # A copy, since some backends change variables in place.
        before = copied(self.shift)
        after = ops.cast(self._shift_of(length), "float32")
        self.shift.assign(ops.where(self.among(variables), after, before))
        return before, after

    def formula(self, variable, gradient, slots, step):
        before, after = step.values
        following = self._next_momentum(variable, gradient, slots, step)
        ahead = slots[0] * step.own(before)
        return variable + ahead - following * (after + step.rate), [following]

    def unperturb(self):
        """Undoes the shift, so that the model holds its own weights."""
        if self.built:
            self._move_to(0.0)

    def perturb(self):
        """Shifts the weights, as they are while training."""
        if self.built:
            self._move_to(
                self._shift_of(
                    global_norm(
                        [m for m in self.states("momentum") if m is not None]
                    )
                )
            )

    def switch_to_training(self):
        """Called by a model before it makes a step."""
        self.perturb()

    def switch_to_evaluation(self):
        """Called by a model after it made a step."""
        self.unperturb()

    def finalize(self, var_list):
        super().finalize(var_list)
        if self.use_ema and self.built:
            # The averages have replaced the shifted weights.
            self.restart()
        else:
            self.unperturb()

    def restart(self):
        # The new weights are not shifted.
        if self.built:
            self.shift.assign(np.zeros(self.shift.shape, "float32"))

    def upgraded_state(self, values):
        # Files from before each variable had a shift of its own.
        if len(values) == len(self.variables) and np.shape(values[-1]) == ():
            shift = np.broadcast_to(np.asarray(values[-1]), self.shift.shape)
            values = [*values[:-1], shift]
        return values

    def _next_momentum(self, variable, gradient, slots, step):
        following = slots[0] * self.momentum + gradient
        return following + variable * step.decay if step.decay else following

    def _squares(self, *known):
        return [ops.square(self._next_momentum(*known))]

    def _shift_of(self, length):
        return self.rho / (length + 1e-12)

    def _move_to(self, shift):
        shift = ops.cast(shift, "float32")
        changes = self.shift - shift
        for index, (variable, momentum) in enumerate(
            zip(self._trainable_variables, self.states("momentum"), strict=True)
        ):
            if momentum is not None:
                dtype = at_least_float32(variable.dtype)
                change = ops.cast(changes[index], dtype)
                moved = ops.cast(variable, dtype)
                moved = moved + ops.cast(momentum, dtype) * change
                variable.assign(ops.cast(moved, variable.dtype))
        self.shift.assign(ops.zeros_like(changes) + shift)
