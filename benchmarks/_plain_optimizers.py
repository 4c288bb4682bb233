"""All plain optimizers, and those that do more than to average gradients.

They estimate their rate, shift or average the weights, or shrink them.
"""

from _plain_averages import (  # noqa: F401
    ADOPT,
    LARS,
    MARS,
    AdaBelief,
    Adan,
    AdEMAMix,
    NovoGrad,
    RAdam,
    Yogi,
)
from _plain_base import Plain
from keras import ops


class DoG(Plain):
    slots = ("initial",)

    def build(self, variables):
        super().build(variables)
        self.distance, self.gradient_sum = map(self.scalar, ("r", "g"))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        first = ops.equal(self.iterations, 0)
        squares, way, length = 0.0, 0.0, 0.0
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            (initial,) = self.of(variable)
            start = self.since_start(initial, variable)
            self.assign(initial, start)
            squares = squares + ops.sum(ops.square(gradient))
            way = way + ops.sum(ops.square(variable - start))
            length = length + ops.sum(ops.square(variable))
        way = ops.where(first, 1e-6 * (1 + ops.sqrt(length)), ops.sqrt(way))
        self.distance.assign(ops.maximum(self.distance, way))
        self.gradient_sum.assign_add(squares)
        rate = self.distance / ops.sqrt(self.gradient_sum + 1e-8)
        super()._backend_update_step(
            grads, trainable_variables, learning_rate * rate
        )

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * gradient)


class Prodigy(Plain):
    slots = ("momentum", "velocity", "gradient_sum", "initial")

    def build(self, variables):
        super().build(variables)
        self.d = self.scalar("d", 1e-6)
        self.numerator = self.scalar("numerator")

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        mean, deviation = self.corrections(0.9, 0.999)
        rate = learning_rate * deviation / mean
        weight = rate * ops.square(self.d)
        beta_3 = 0.999**0.5
        descent, length = 0.0, 0.0
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            _, _, gradient_sum, initial = self.of(variable)
            self.assign(initial, self.since_start(initial, variable))
            descent = descent + ops.sum(gradient * (initial - variable))
            self.assign(gradient_sum, gradient_sum * beta_3 + weight * gradient)
            length = length + ops.sum(ops.abs(gradient_sum))
        self.numerator.assign(self.numerator * beta_3 + weight * descent)
        self.before = ops.copy(ops.convert_to_tensor(self.d))
        self.d.assign(ops.maximum(self.d, self.numerator / length))
        super()._backend_update_step(
            grads, trainable_variables, rate * self.before
        )

    def update_step(self, gradient, variable, learning_rate):
        momentum, velocity, _, _ = self.of(variable)
        gradient = gradient * self.before
        self.average(momentum, gradient, 0.9)
        self.average(velocity, ops.square(gradient), 0.999)
        divisor = ops.sqrt(velocity) + self.d * 1e-8
        self.assign_sub(variable, learning_rate * momentum / divisor)


class MSAM(Plain):
    slots = ("momentum",)

    def build(self, variables):
        super().build(variables)
        self.shift = self.scalar("shift")

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        total = 0.0
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            (momentum,) = self.of(variable)
            self.assign_add(variable, momentum * self.shift)
            self.assign(momentum, momentum * 0.9 + gradient)
            total = total + ops.sum(ops.square(momentum))
        self.shift.assign(0.3 / (ops.sqrt(total) + 1e-12))
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        (momentum,) = self.of(variable)
        self.assign_sub(variable, momentum * (self.shift + learning_rate))


class ScheduleFreeSGD(Plain):
    """With `x` and `z`, as the paper has it; the variables hold `y`."""

    slots = ("z",)
    b = 0.9

    def build(self, variables):
        super().build(variables)
        self.weight_sum = self.scalar("weight_sum")

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        weight = learning_rate**2
        self.weight_sum.assign_add(weight)
        self.part = weight / self.weight_sum
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        z = self.of(variable)[0]
        self.assign(z, self.since_start(z, variable))
        x = (variable - (1 - self.b) * z) / self.b
        move = self.move(gradient, variable)
        self.assign_sub(z, learning_rate * move)
        x = x + (z - x) * self.part
        self.assign(variable, self.b * x + (1 - self.b) * z)

    def move(self, gradient, variable):
        return gradient


class ScheduleFreeAdamW(ScheduleFreeSGD):
    slots = ("z", "velocity")

    def move(self, gradient, variable):
        velocity = self.of(variable)[1]
        _, deviation = self.corrections(0.9, 0.999)
        self.average(velocity, ops.square(gradient), 0.999)
        return gradient / (ops.sqrt(velocity) / deviation + 1e-8)


class ProximalSGD(Plain):
    """With the strength of the L1 penalty that ours has in the comparison."""

    l1 = 1e-4

    def update_step(self, gradient, variable, learning_rate):
        point = variable - learning_rate * gradient
        self.assign(variable, self.shrunk(point, learning_rate * self.l1))

    def shrunk(self, point, threshold):
        shrunk = ops.maximum(ops.abs(point) - threshold, 0.0)
        return ops.sign(point) * shrunk


class ProximalAdam(ProximalSGD):
    slots = ("momentum", "velocity")

    def update_step(self, gradient, variable, learning_rate):
        momentum, velocity = self.of(variable)
        mean, deviation = self.corrections(0.9, 0.999)
        self.average(momentum, gradient, 0.9)
        self.average(velocity, ops.square(gradient), 0.999)
        rates = learning_rate * deviation / (ops.sqrt(velocity) + 1e-7)
        point = variable - rates * momentum / mean
        self.assign(variable, self.shrunk(point, rates * self.l1))
