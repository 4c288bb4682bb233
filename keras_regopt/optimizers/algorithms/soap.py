from keras import ops

from keras_regopt._precision import at_least_float32
from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range, positive_int
from keras_regopt.optimizers.algorithms._preconditioner import (
    cond,
    factor,
    first_basis,
    merged_shape,
    next_basis,
    reorder,
    rotate,
)
from keras_regopt.optimizers.engine import _torch
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import bias_correction


@register
class SOAP(Optimizer):
    """Adam in the eigenbasis of Shampoo's preconditioner.

    For each axis of a weight, SOAP averages the products of the gradient's
    slices (`g @ g.T` and `g.T @ g` for a matrix), and runs Adam in the basis of
    their eigenvectors, where the gradients are nearly uncorrelated, so that one
    rate for each coordinate suits better. The basis follows by one power
    iteration and a QR decomposition every `precondition_frequency` steps. Use
    it where the number of steps counts more than their price, such as large
    batches: the authors needed about 40% fewer steps than with `AdamW`. A step
    costs some more products of matrices, and an axis of size `n` two matrices
    of `n * n` float32 numbers.

    The first step only initializes the basis and leaves the weights as they
    are. Weights decay after their step, by `learning_rate * weight_decay`.

    Where the averages lack rank, as they do for wide layers at the start, the
    authors' code takes the eigenvectors that rounding happens to give; here
    they are chosen, so that a run can be repeated on another device.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.003`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.95`.
        beta_2: Decay of the average of the squared gradients in the eigenbasis,
            in [0, 1). Defaults to `0.95`.
        shampoo_beta: Decay of the averages that give the basis, in [0, 1), or
            `None` for that of `beta_2`. Defaults to `None`.
        epsilon: Number > 0 that is added to the root of the average of the
            squared gradients, before the correction of its bias. Defaults to
            `1e-8`.
        precondition_frequency: Steps between two turns of the basis, at least
            1. Defaults to `10`.
        max_precondition_dim: Largest size of an axis that gets a basis, at
            least 1; longer ones are left as they are. Defaults to `10000`.
        merge_dims: Whether neighbouring axes are joined, from the first one on,
            while their product is at most `max_precondition_dim`, which suits
            the kernels of convolutions. Defaults to `False`.
        precondition_1d: Whether biases and other vectors get a basis as well.
            Defaults to `False`.
        normalize_gradient: Whether each step is scaled to a root mean square
            of `learning_rate`, before the correction of the bias; helps where
            the basis turns rarely. Defaults to `False`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (0.01 in the authors' code), `clipnorm` and
            `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(SOAP(learning_rate=0.003, weight_decay=0.01), "mse")
        >>> model.optimizer.precondition_frequency
        10

    References:
        Vyas et al. 2024, SOAP: improving and stabilizing Shampoo using Adam
        (arXiv 2409.11321), and the authors' code, nikhilvyas/SOAP.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.003,
        beta_1: float = 0.95,
        beta_2: float = 0.95,
        shampoo_beta: float | None = None,
        epsilon: float = 1e-8,
        precondition_frequency: int = 10,
        max_precondition_dim: int = 10000,
        merge_dims: bool = False,
        precondition_1d: bool = False,
        normalize_gradient: bool = False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.shampoo_beta = in_range(
            self, "shampoo_beta", shampoo_beta, low=0, below=1, optional=True
        )
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.precondition_frequency = positive_int(
            self, "precondition_frequency", precondition_frequency
        )
        self.max_precondition_dim = positive_int(
            self, "max_precondition_dim", max_precondition_dim
        )
        self.merge_dims = boolean(self, "merge_dims", merge_dims)
        self.precondition_1d = boolean(self, "precondition_1d", precondition_1d)
        self.normalize_gradient = boolean(
            self, "normalize_gradient", normalize_gradient
        )

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # The momentum and the velocity are coordinates in the eigenbasis.
        self.momentums, self.velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        self.factors = [self._matrices(v, "factor") for v in variables]
        self.bases = [self._matrices(v, "basis") for v in variables]

    @_torch.uncompiled
    def apply(self, grads, trainable_variables=None):
        # Its branches would break the graph into dozens of pieces.
        super().apply(grads, trainable_variables)

    def step_values(self, gradients, variables, learning_rate):
        # The first call makes no step of Adam.
        later = ops.cast(self.iterations > 0, "float32")
        step = ops.cast(ops.maximum(self.iterations, 1), "float32")
        size = later * ops.sqrt(bias_correction(self.beta_2, step))
        return later, size / bias_correction(self.beta_1, step)

    def decay_step(self, variable, learning_rate):
        # The decay comes after the step.
        return

    def update_step(self, gradient, variable, learning_rate, values):
        index = self._get_variable_index(variable)
        dtype = at_least_float32(variable.dtype)
        rate, later, size = (
            ops.cast(scalar, dtype) for scalar in (learning_rate, *values)
        )
        shape = self._shape(variable)
        basis, momentum, velocity = (
            _values(self.bases[index]),
            ops.reshape(ops.cast(self.momentums[index], dtype), shape),
            ops.reshape(ops.cast(self.velocities[index], dtype), shape),
        )
        gradient = ops.reshape(ops.cast(gradient, dtype), shape)
        inside = rotate(gradient, basis)
        momentum = momentum + (inside - momentum) * (later * (1 - self.beta_1))
        velocity = velocity + (ops.square(inside) - velocity) * (
            later * (1 - self.beta_2)
        )
        step = momentum / (ops.sqrt(velocity) + self.epsilon)
        step = rotate(step, basis, inverse=True)
        if self.normalize_gradient:
            root = ops.sqrt(ops.mean(ops.square(step)))
            step = step / (root + 1e-30)
        moved = ops.cast(variable, dtype) - ops.reshape(
            step * (rate * size), variable.shape
        )
        decay = self.decay_of(variable)
        if decay:
            moved = moved * (1 - rate * later * decay)
        self.assign(variable, moved)

        if any(matrix is not None for matrix in basis):
            momentum, velocity = self._turn(index, gradient, momentum, velocity)
        self.assign(
            self.momentums[index], ops.reshape(momentum, variable.shape)
        )
        self.assign(
            self.velocities[index], ops.reshape(velocity, variable.shape)
        )

    def _turn(self, index, gradient, momentum, velocity):
        """Updates factors and basis after the step, as the authors do.

        Returns:
            The momentum and the velocity in the new basis.
        """
        beta = self.shampoo_beta
        weight = 1 - (self.beta_2 if beta is None else beta)
        factors = _values(self.factors[index])
        basis = _values(self.bases[index])
        for axis, matrix in enumerate(factors):
            if matrix is not None:
                change = (factor(gradient, axis) - matrix) * weight
                factors[axis] = matrix + change
                self.assign(self.factors[index][axis], factors[axis])

        def start():
            return [momentum, velocity, *_present(first_basis(factors))]

        def turn():
            turned, orders = next_basis(factors, basis)
            outside = rotate(momentum, basis, inverse=True)
            return [
                rotate(outside, turned),
                reorder(velocity, orders),
                *_present(turned),
            ]

        def stay():
            return [momentum, velocity, *_present(basis)]

        iterations = ops.convert_to_tensor(self.iterations)
        momentum, velocity, *matrices = cond(
            ops.equal(iterations % self.precondition_frequency, 0),
            lambda: cond(ops.equal(iterations, 0), start, turn),
            stay,
        )
        for own, matrix in zip(
            _present(self.bases[index]), matrices, strict=True
        ):
            self.assign(own, matrix)
        return momentum, velocity

    def _shape(self, variable):
        shape = tuple(variable.shape)
        if self.merge_dims and len(shape) > 1:
            return merged_shape(shape, self.max_precondition_dim)
        return shape

    def _matrices(self, variable, name):
        """A square variable for each axis that gets a basis."""
        skipped = len(variable.shape) == 1 and not self.precondition_1d
        if skipped or self._overwrite_variable_with_gradient(variable):
            return [None] * len(self._shape(variable))
        return [
            self.add_variable(
                shape=(size, size),
                dtype=at_least_float32(variable.dtype),
                name=f"{name}_{axis}",
            )
            # An axis of size 1 has one basis only.
            if 1 < size <= self.max_precondition_dim
            else None
            for axis, size in enumerate(self._shape(variable))
        ]


def _values(matrices):
    return [None if m is None else ops.convert_to_tensor(m) for m in matrices]


def _present(matrices):
    return [matrix for matrix in matrices if matrix is not None]
