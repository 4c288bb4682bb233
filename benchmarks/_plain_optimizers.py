"""Optimizers as one writes them down on Keras' base class, to compare with.

Keras has no class of these names. Each makes the steps of ours with the default
arguments, without weight decay, one operation after the other.
"""

import keras
from keras import ops


class Plain(keras.optimizers.Optimizer):
    """Base: state in lists, one for each name.

    Args:
        learning_rate: The learning rate.
    """

    slots: tuple = ()

    def __init__(self, learning_rate):
        super().__init__(learning_rate)

    def build(self, variables):
        super().build(variables)
        for name in self.slots:
            setattr(
                self, f"{name}s", self.add_optimizer_variables(variables, name)
            )

    def of(self, variable):
        index = self._get_variable_index(variable)
        return [getattr(self, f"{name}s")[index] for name in self.slots]

    def scalar(self, name, value=0.0):
        return self.add_variable(
            (), keras.initializers.Constant(value), "float32", name=name
        )

    def since_start(self, own, variable):
        """What a variable was at the first step; in the first, what it is."""
        first = ops.equal(self.iterations, 0)
        own, value = map(ops.convert_to_tensor, (own, variable))
        return ops.where(first, value, own)

    def average(self, own, value, beta):
        self.assign_add(own, (value - own) * (1 - beta))

    def corrections(self, beta_1, beta_2):
        step = ops.cast(self.iterations + 1, "float32")
        return 1 - beta_1**step, ops.sqrt(1 - beta_2**step)


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
