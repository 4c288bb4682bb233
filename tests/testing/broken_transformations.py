"""Gradient transformations that break one promise each."""

import keras
from broken import Broken, compiled_only, only_on, register
from keras import ops
from own_classes import Damping

from keras_regopt.testing import transformations


class SumsUp(Damping):
    """Gives back a number for each gradient."""

    def act(self, gradient):
        return ops.sum(gradient)


class SinglePrecision(Damping):
    """Turns every gradient into single precision."""

    def act(self, gradient):
        return ops.cast(gradient, "float32")


class DividesByItself(Damping):
    """Divides a gradient by its greatest entry, which may be zero."""

    def act(self, gradient):
        return gradient / ops.max(ops.abs(gradient))


class InPlace(Damping):
    """Changes the tensor that it gets."""

    def act(self, gradient):
        return gradient.mul_(0.5)


class Squares(Damping):
    """Says that squares are linear."""

    is_linear = True

    def act(self, gradient):
        return gradient * ops.abs(gradient)


class Unseeded(Damping):
    """Draws noise without a seed."""

    def act(self, gradient):
        noise = keras.random.normal(gradient.shape, dtype=gradient.dtype)
        return gradient + 0.01 * noise


class Backwards(Damping):
    """Has the sign wrong."""

    def act(self, gradient):
        return -gradient


class CountsInPython(Damping):
    """Counts its steps in an attribute, which counts traces instead."""

    count = 0

    def act(self, gradient):
        self.count += 1
        return gradient / self.count


class WeakNumber(Damping):
    """Assigns a number of no certain dtype, so that JAX compiles again."""

    def build(self, optimizer, variables):
        return [optimizer.add_variable((), name="warm")] * len(variables)

    def transform_gradients(self, gradients, variables, step, state):
        state[0].assign(ops.where(step > 3, 1.0, 0.0))
        return gradients


class ReturnsToPython(Damping):
    """Makes the optimizer leave the graph in every step."""

    def build(self, optimizer, variables):
        apply = optimizer.apply

        def eagerly(grads, trainable_variables=None):
            import tensorflow as tf

            if tf.executing_eagerly():
                return apply(grads, trainable_variables)
            return tf.py_function(
                lambda *g: optimizer.apply(list(g), trainable_variables),
                grads,
                [],
            )

        object.__setattr__(optimizer, "apply", eagerly)
        return super().build(optimizer, variables)


class SquaresInHalfPrecision(Damping):
    """Squares tiny numbers in half precision, in which they vanish."""

    def act(self, gradient):
        square = ops.cast(ops.square(gradient) * 1e-8, "float16")
        return gradient * 1e-4 / ops.sqrt(ops.cast(square, gradient.dtype))


@register
class ForgetsFactor(Damping):
    """Comes back from a file with the default instead of its argument."""

    def get_config(self):
        return {}


@register
class HidesState(Damping):
    """Keeps its state in an attribute, which no file brings back.

    Under JAX, no step changes it.
    """

    def build(self, optimizer, variables):
        self.sums = [keras.Variable(ops.zeros(v.shape)) for v in variables]
        return super().build(optimizer, variables)

    def transform_gradients(self, gradients, variables, step, state):
        for gradient, total in zip(gradients, self.sums, strict=True):
            total.assign(total * 0.5 + gradient)
        return [ops.convert_to_tensor(total) for total in self.sums]


class SignsOfParts(Damping):
    """Says that signs are linear, so that each device takes its own."""

    is_linear = True

    def act(self, gradient):
        return ops.sign(gradient)


class FollowsDevices(Damping):
    """Enlarges the gradients by the number of devices."""

    def act(self, gradient):
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            count = tf.distribute.get_strategy().num_replicas_in_sync
            return gradient * count
        if keras.distribution.distribution() is None:
            return gradient
        return gradient * len(keras.distribution.list_devices())


BROKEN = {
    transformations.keeps_shapes_and_dtypes: [
        Broken(SumsUp, "came back as"),
        Broken(SinglePrecision, "came back as"),
        Broken(DividesByItself, "gradients of float32 are not finite"),
    ],
    transformations.leaves_its_inputs_alone: [
        only_on("torch", InPlace, "an input was changed in place"),
    ],
    transformations.is_linear_if_it_says_so: [
        Broken(Squares, "it says that it is linear"),
    ],
    transformations.acts_alike_on_equal_states: [
        Broken(Unseeded, "the gradients of two copies differ"),
    ],
    transformations.lowers_a_parabola: [Broken(Backwards, "the sum went from")],
    transformations.trains_alike_compiled_or_not: [
        compiled_only(CountsInPython, "the losses differ in mode"),
    ],
    transformations.compiles_once: [
        only_on("jax", WeakNumber, "two fits traced the step 2 times"),
        only_on(
            "tensorflow", ReturnsToPython, "two fits traced the step 5 times"
        ),
    ],
    transformations.trains_in_mixed_precision: [
        Broken(SquaresInHalfPrecision, "the losses are"),
    ],
    transformations.reloads_with_its_state: [
        Broken(ForgetsFactor, "the next losses are", {"factor": 0.1}),
        only_on("tensorflow torch", HidesState, "the next losses are"),
    ],
    transformations.steps_alike_in_data_parallel: [
        Broken(FollowsDevices, "the weights differ by"),
        only_on("tensorflow", SignsOfParts, "the weights differ by"),
    ],
}
