"""Optimizers that break one promise each."""

import types

import keras
from broken import Broken, compiled_only, only_on, register
from keras import ops
from own_classes import Momentum

from keras_regopt.optimizers import Optimizer
from keras_regopt.testing import optimizers


class VanishingEpsilon(Momentum):
    """Divides by a root plus an epsilon that half precision rounds to zero."""

    def direction(self, gradient):
        return gradient / (ops.sqrt(ops.square(gradient)) + 1e-8)


class WritesPastTheVariable(Momentum):
    """Sets the data of a torch parameter, upon which nothing casts them."""

    def update_step(self, gradient, variable, learning_rate):
        step = ops.cast(learning_rate, "float32") * gradient
        variable.value.data = variable.value.data - ops.cast(step, "float32")


class Ascent(Momentum):
    """Has the sign wrong."""

    def direction(self, gradient):
        return -gradient


class FrozenRate(Momentum):
    """Reads the learning rate once, as a number."""

    def build(self, variables):
        super().build(variables)
        self.rate = float(self.learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, self.rate)


class NumbersOnly(Momentum):
    """Looks for the rate where Keras keeps numbers, but not schedules."""

    def update_step(self, gradient, variable, learning_rate):
        kept = self._learning_rate
        rate = kept if isinstance(kept, keras.Variable) else 0.001
        super().update_step(gradient, variable, ops.convert_to_tensor(rate))


class CountsInPython(Momentum):
    """Counts its steps in an attribute, which counts traces instead."""

    count = 0

    def update_step(self, gradient, variable, learning_rate):
        self.count += 1
        super().update_step(gradient, variable, learning_rate / self.count)


class RootOfNegative(Momentum):
    """Takes the root of a gradient."""

    def direction(self, gradient):
        return ops.sqrt(gradient)


class WeakNumber(Momentum):
    """Assigns a number of no certain dtype, so that JAX compiles again."""

    def build(self, variables):
        super().build(variables)
        self.warm = self.add_variable((), name="warm")

    def update_step(self, gradient, variable, learning_rate):
        self.assign(self.warm, ops.where(self.iterations > 3, 1.0, 0.0))
        super().update_step(gradient, variable, learning_rate)


@register
class LateVariable(Momentum):
    """Adds a variable in its first step, where no file can bring it back.

    Under JAX, Keras refuses it.
    """

    late = None

    def update_step(self, gradient, variable, learning_rate):
        if self.late is None:
            self.late = self.add_variable(shape=(), name="late")
        super().update_step(gradient, variable, learning_rate)


class ReturnsToPython(Momentum):
    """Leaves the graph in every step, so as to compute with NumPy."""

    def apply(self, grads, trainable_variables=None):
        import tensorflow as tf

        if tf.executing_eagerly():
            return super().apply(grads, trainable_variables)

        def step(*grads):
            self.apply(list(grads), trainable_variables)

        return tf.py_function(step, grads, [])


class HalfPrecisionAverages(Momentum):
    """Averages squares in half precision, in which small ones vanish."""

    def build(self, variables):
        super().build(variables)
        self.squares = [
            self.add_variable(v.shape, dtype="float16", name="square")
            for v in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        square = self.squares[self._get_variable_index(variable)]
        part = ops.cast(ops.square(gradient) * 1e-6, "float16")
        self.assign_add(square, part)
        divisor = ops.cast(ops.sqrt(square), "float32") + 1e-8
        super().update_step(gradient / divisor, variable, learning_rate)


class HalfPrecisionWeights(Momentum):
    """Turns the weights of a torch model into half precision."""

    def build(self, variables):
        super().build(variables)
        for variable in variables:
            variable.value.data = variable.value.data.half()


@register
class ForgetsMomentum(Momentum):
    """Comes back from a file with the default instead of its argument."""

    def get_config(self):
        return keras.optimizers.Optimizer.get_config(self)


@register
class ForgetsSlots(Momentum):
    """Saves its variables and never takes them up again."""

    def load_own_variables(self, store):
        pass


@register
class HidesSlot(Momentum):
    """Keeps its state where Keras does not look for variables.

    Under JAX, no step changes it.
    """

    def build(self, variables):
        super().build(variables)
        self.hidden = types.SimpleNamespace(
            steps=[keras.Variable(ops.zeros(v.shape)) for v in variables]
        )

    def update_step(self, gradient, variable, learning_rate):
        step = self.hidden.steps[self._get_variable_index(variable)]
        self.assign(step, step * 0.5 - gradient * learning_rate)
        self.assign_add(variable, step)


class FollowsDevices(Momentum):
    """Raises its rate with the number of devices."""

    def build(self, variables):
        super().build(variables)
        self.devices = 1
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            self.devices = tf.distribute.get_strategy().num_replicas_in_sync
        elif keras.distribution.distribution() is not None:
            self.devices = len(keras.distribution.list_devices())

    def direction(self, gradient):
        return gradient * self.devices


class SignsOfParts(Momentum):
    """Takes signs before the devices have added up their gradients."""

    def apply(self, grads, trainable_variables=None):
        super().apply([ops.sign(g) for g in grads], trainable_variables)


class BelievesTheCount(Momentum):
    """Averages the weights, which began for all of them in the first step."""

    def build(self, variables):
        super().build(variables)
        self.averages = self.add_optimizer_variables(variables, "average")

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate)
        average = self.averages[self._get_variable_index(variable)]
        part = ops.where(ops.equal(self.iterations, 0), 1.0, 0.5)
        self.assign_add(average, (variable - average) * part)

    def finalize_variable_values(self, var_list):
        for variable in var_list:
            average = self.averages[self._get_variable_index(variable)]
            variable.assign(ops.copy(average))


class LooksUpBeforeTheCheck(Momentum):
    """Finds a slot of each variable before Keras asks for strangers."""

    def apply(self, grads, trainable_variables=None):
        for variable in trainable_variables or []:
            self._get_variable_index(variable)
        super().apply(grads, trainable_variables)


class CountsInTheTrace(Momentum):
    """Hands a number made in the trace to what changes it in place."""

    def update_step(self, gradient, variable, learning_rate):
        import torch

        torch._fused_adam_(
            [variable.value],
            [gradient],
            *([torch.zeros_like(gradient)] for _ in range(2)),
            [],
            [torch.tensor(1.0)],
            lr=0.1,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-7,
            amsgrad=False,
            maximize=False,
        )


class LooksForTheTrace(Momentum):
    """Makes another step where it is compiled."""

    def direction(self, gradient):
        import torch

        return gradient * (2 if torch.compiler.is_compiling() else 1)


class MeanMomentum(Optimizer):
    """Keeps the mean of its momentum, which is spread over the whole."""

    def slot_names(self):
        return [("momentum",)]

    def formula(self, variable, gradient, slots, step):
        momentum = slots[0] * 0.9 + gradient
        return variable - momentum * step.rate, [ops.mean(momentum)]


class RoundedMomentum(MeanMomentum):
    """Keeps its momentum in half precision."""

    def formula(self, variable, gradient, slots, step):
        momentum = slots[0] * 0.9 + gradient
        return variable - momentum * step.rate, [ops.cast(momentum, "float16")]


class LosesMomentum(MeanMomentum):
    """Does not return its momentum."""

    def formula(self, variable, gradient, slots, step):
        return variable - gradient * step.rate, []


RATE = {"learning_rate": 0.1}
BROKEN = {
    optimizers.formula_keeps_shapes_and_dtypes: [
        Broken(MeanMomentum, r"state 0 as float32 of the shape \(\)", RATE),
        Broken(RoundedMomentum, "state 0 as float16", RATE),
        Broken(LosesMomentum, "returns 0 states instead of 1", RATE),
    ],
    optimizers.keeps_dtypes: [
        Broken(VanishingEpsilon, "a float16 variable is not finite"),
        only_on("torch", WritesPastTheVariable, "a bfloat16 variable became"),
    ],
    optimizers.lowers_a_parabola: [Broken(Ascent, "the sum went from")],
    optimizers.follows_a_schedule: [
        Broken(FrozenRate, "gives the same steps as a constant one"),
        Broken(NumbersOnly, "the same number give different steps"),
    ],
    optimizers.trains_alike_compiled_or_not: [
        compiled_only(CountsInPython, "the losses differ in mode"),
        Broken(RootOfNegative, "the losses are .*nan"),
    ],
    optimizers.compiles_once: [
        only_on("jax", WeakNumber, "two fits traced the step 2 times"),
        only_on(
            "tensorflow", ReturnsToPython, "two fits traced the step 5 times"
        ),
    ],
    optimizers.trains_in_mixed_precision: [
        Broken(HalfPrecisionAverages, "the losses are"),
        only_on("torch", HalfPrecisionWeights, "the weights are .*float16"),
    ],
    optimizers.reloads_with_its_state: [
        Broken(ForgetsMomentum, "the next losses are", {"momentum": 0.9}),
        Broken(ForgetsSlots, "changes"),
        only_on(
            "tensorflow torch",
            LateVariable,
            "comes back with 5 variables instead of 6",
        ),
        only_on("tensorflow torch", HidesSlot, "the next losses are"),
    ],
    optimizers.steps_alike_in_data_parallel: [
        Broken(FollowsDevices, "the weights differ by"),
        only_on("tensorflow", SignsOfParts, "the weights differ by"),
    ],
    optimizers.steps_on_halves_in_turn: [
        Broken(BelievesTheCount, "a weight without a step moved by"),
    ],
    optimizers.takes_iterations_without_state: [
        Broken(BelievesTheCount, "steps from 50 on, without state, moved"),
    ],
    optimizers.refuses_unknown_variables: [
        Broken(LooksUpBeforeTheCheck, "is unknown; got KeyError"),
    ],
    optimizers.steps_alike_under_torch_compile: [
        only_on("torch", CountsInTheTrace, "mutating"),
        only_on("torch", LooksForTheTrace, "the weights differ by"),
    ],
}
