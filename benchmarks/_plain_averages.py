"""Plain optimizers that keep averages of each variable's gradients."""

from _plain_base import Plain
from keras import ops


class LARS(Plain):
    slots = ("momentum",)

    def update_step(self, gradient, variable, learning_rate):
        (momentum,) = self.of(variable)
        weight_norm = ops.sqrt(ops.sum(ops.square(variable)))
        gradient_norm = ops.sqrt(ops.sum(ops.square(gradient)))
        trust = ops.where(
            ops.logical_and(weight_norm > 0, gradient_norm > 0),
            0.001 * weight_norm / gradient_norm,
            1.0,
        )
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign(momentum, momentum * 0.9 + gradient * (trust * rate))
        self.assign_sub(variable, momentum)


class AdaBelief(Plain):
    slots = ("momentum", "variance")

    def update_step(self, gradient, variable, learning_rate):
        momentum, variance = self.of(variable)
        mean, deviation = self.corrections(0.9, 0.999)
        self.average(momentum, gradient, 0.9)
        self.average(variance, ops.square(gradient - momentum), 0.999)
        self.assign_add(variance, ops.full_like(gradient, 1e-16))
        divisor = ops.sqrt(variance) / deviation + 1e-16
        self.assign_sub(variable, learning_rate / mean * momentum / divisor)


class Yogi(Plain):
    slots = ("momentum", "velocity")

    def update_step(self, gradient, variable, learning_rate):
        momentum, velocity = self.of(variable)
        mean, deviation = self.corrections(0.9, 0.999)
        self.average(momentum, gradient, 0.9)
        square = ops.square(gradient)
        self.assign_sub(velocity, ops.sign(velocity - square) * square * 0.001)
        divisor = ops.sqrt(velocity) / deviation + 1e-3
        self.assign_sub(variable, learning_rate / mean * momentum / divisor)


class RAdam(Plain):
    slots = ("momentum", "velocity")

    def update_step(self, gradient, variable, learning_rate):
        momentum, velocity = self.of(variable)
        mean, deviation = self.corrections(0.9, 0.999)
        self.average(momentum, gradient, 0.9)
        self.average(velocity, ops.square(gradient), 0.999)
        step = ops.cast(self.iterations + 1, "float32")
        limit = 1999.0
        length = limit - 2 * step * 0.999**step / (1 - 0.999**step)
        tractable = length > 5
        length = ops.where(tractable, length, 6.0)
        factor = ops.sqrt(
            (length - 4)
            * (length - 2)
            * limit
            / ((limit - 4) * (limit - 2) * length)
        )
        adaptive = factor / (ops.sqrt(velocity) / deviation + 1e-7)
        step_size = ops.where(tractable, adaptive, ops.ones_like(adaptive))
        self.assign_sub(variable, learning_rate / mean * momentum * step_size)


class ADOPT(Plain):
    slots = ("momentum", "velocity")

    def update_step(self, gradient, variable, learning_rate):
        momentum, velocity = self.of(variable)
        step = ops.cast(self.iterations, "float32")
        scaled = gradient / ops.maximum(ops.sqrt(velocity), 1e-6)
        bound = step**0.25
        scaled = ops.clip(scaled, -bound, bound)
        self.average(momentum, scaled, 0.9)
        self.average(velocity, ops.square(gradient), 0.9999)
        self.assign_sub(variable, learning_rate * momentum)


class AdEMAMix(Plain):
    slots = ("momentum", "slow_momentum", "velocity")

    def update_step(self, gradient, variable, learning_rate):
        momentum, slow, velocity = self.of(variable)
        mean, deviation = self.corrections(0.9, 0.999)
        self.average(momentum, gradient, 0.9)
        self.average(slow, gradient, 0.9999)
        self.average(velocity, ops.square(gradient), 0.999)
        divisor = ops.sqrt(velocity) / deviation + 1e-7
        mixture = momentum / mean + 5.0 * slow
        self.assign_sub(variable, learning_rate * mixture / divisor)


class Adan(Plain):
    slots = ("momentum", "difference", "velocity", "last_gradient")

    def update_step(self, gradient, variable, learning_rate):
        momentum, average, velocity, last = self.of(variable)
        mean, deviation = self.corrections(0.98, 0.99)
        ahead, _ = self.corrections(0.92, 0.99)
        difference = gradient - last
        self.average(momentum, gradient, 0.98)
        self.average(average, difference, 0.92)
        self.average(velocity, ops.square(gradient + 0.92 * difference), 0.99)
        self.assign(last, gradient)
        divisor = ops.sqrt(velocity) / deviation + 1e-7
        move = momentum / mean + 0.92 * average / ahead
        self.assign_sub(variable, learning_rate * move / divisor)


class NovoGrad(Plain):
    slots = ("momentum",)

    def build(self, variables):
        super().build(variables)
        self.velocities = [self.scalar("velocity") for _ in variables]

    def update_step(self, gradient, variable, learning_rate):
        (momentum,) = self.of(variable)
        velocity = self.velocities[self._get_variable_index(variable)]
        square = ops.sum(ops.square(gradient))
        first = ops.equal(self.iterations, 0)
        following = velocity * 0.25 + square * 0.75
        self.assign(velocity, ops.where(first, square, following))
        scaled = gradient / (ops.sqrt(velocity) + 1e-6)
        self.assign(momentum, momentum * 0.9 + scaled)
        self.assign_sub(variable, learning_rate * momentum)


class MARS(Plain):
    slots = ("momentum", "velocity", "last_gradient")

    def update_step(self, gradient, variable, learning_rate):
        momentum, velocity, last = self.of(variable)
        corrected, betas = gradient, (0.9, 0.95)
        if len(variable.shape) >= 2:
            betas = (0.95, 0.99)
            corrected = gradient + 0.025 * 0.95 / 0.05 * (gradient - last)
            norm = ops.sqrt(ops.sum(ops.square(corrected)))
            corrected = corrected / ops.maximum(norm, 1.0)
            self.assign(last, gradient)
        mean, deviation = self.corrections(*betas)
        self.average(momentum, corrected, betas[0])
        self.average(velocity, ops.square(corrected), betas[1])
        divisor = ops.sqrt(velocity) / deviation + 1e-7
        self.assign_sub(variable, learning_rate * momentum / mean / divisor)
