from collections import deque, namedtuple

import numpy as np

from keras_regopt._config import SignatureConfig
from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.optimizers.full_batch._line_search import Point, strong_wolfe

# The state of the search after an iteration.
Iteration = namedtuple(
    "Iteration", ["vector", "loss", "gradient", "step", "evaluations"]
)

# Below this product of step and change of the gradient, torch and minFunc see
# no curvature worth remembering.
_LEAST_CURVATURE = 1e-10

# Relative rounding error of a loss.
_ROUNDING = {"float32": 5e-7, "float64": 1e-15}

# Steps of a line search that move no weight by more count as equal.
_LEAST_CHANGE = 1e-9


@register
class LBFGS(SignatureConfig):
    """L-BFGS with a strong-Wolfe line search: a method of `fit_full_batch`.

    Newton's method divides the gradient by the curvature, whose matrix is too
    large to hold. L-BFGS estimates the product of its inverse with the gradient
    from the last `memory` steps and changes of the gradient. Each step is as
    long as a line search finds good, so there is no learning rate to tune. On
    small and medium data and smooth losses (regression, small networks,
    fine-tuning of a head) it reaches a minimum to many digits within tens of
    iterations; it needs the loss of all data at once, without noise.

    It is not an optimizer for `compile`: a step evaluates the loss several
    times, which `fit` does not allow.

    Args:
        learning_rate: First step > 0 that a line search tries, in lengths of
            the direction; `1` is Newton's. The very first is shortened to
            `learning_rate / sum(|gradient|)` if that is less. Defaults to
            `1.0`.
        memory: Steps to remember, at least 0. It takes twice as many copies of
            the weights. `0` makes it gradient descent with a line search.
            Defaults to `10`.
        max_line_search_steps: Evaluations of loss and gradient in one line
            search, at least 1. Defaults to `25`.
        armijo: Fraction, in (0, 0.5), of the fall that the slope promises: a
            step must reach it. Defaults to `1e-4`.
        curvature: Fraction of the slope that may remain after a step, between
            `armijo` and 1. Smaller values search longer; gradient descent and
            nonlinear losses may gain from `0.1`. Defaults to `0.9`.

    Examples:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> x = np.linspace(-1, 1, 20)[:, None]
        >>> from keras_regopt.optimizers import fit_full_batch
        >>> method = LBFGS(memory=5)
        >>> history = fit_full_batch(model, x, 2 * x + 1, method=method)
        >>> [round(float(v), 3) for v in model.predict(x[:1], verbose=0)[0]]
        [-1.0]

    References:
        Nocedal and Wright 2006, Numerical optimization, algorithms 7.4 and 7.5.
        Directions and line search make the steps of `torch.optim.LBFGS` with
        `line_search_fn="strong_wolfe"`.
    """

    def __init__(
        self,
        learning_rate: float = 1.0,
        memory: int = 10,
        max_line_search_steps: int = 25,
        armijo: float = 1e-4,
        curvature: float = 0.9,
    ):
        self.learning_rate = in_range(
            self, "learning_rate", learning_rate, above=0
        )
        self.memory = integer(self, "memory", memory, low=0)
        self.max_line_search_steps = integer(
            self, "max_line_search_steps", max_line_search_steps, low=1
        )
        self.armijo = in_range(self, "armijo", armijo, above=0, below=0.5)
        self.curvature = in_range(
            self, "curvature", curvature, above=self.armijo, below=1
        )

    def iterations(self, evaluate, vector):
        """Goes towards a minimum of a function, one iteration at a time.

        Args:
            evaluate: Function of a vector that returns the loss, a Python
                number, and the gradient, an array like it.
            vector: NumPy array of rank 1 to start from.

        Yields:
            An `Iteration` with the new vector, its loss and gradient, the step
            that led there and the evaluations that it took. The first is the
            start itself, with a step of 0. Losses fall, but for their rounding.
            It ends where no step lowers the loss any more.
        """
        loss, gradient = evaluate(vector)
        yield Iteration(vector, loss, gradient, 0.0, 1)
        pairs = deque(maxlen=self.memory)
        evaluations, last = 0, None
        while True:
            direction = _direction(gradient, pairs)
            start = Point(0.0, loss, _dot(gradient, direction), gradient)
            step = self._first_step(start, last)
            found, count = self._search(
                evaluate, vector, direction, start, step
            )
            evaluations += count
            if found is start:
                if not pairs:
                    return
                # The estimate of the curvature may be what is wrong.
                pairs.clear()
                last = None
                continue
            change = found.step * direction
            difference = found.gradient - gradient
            curvature = _dot(change, difference)
            if curvature > _LEAST_CURVATURE:
                pairs.append((change, difference, curvature))
            vector, loss, gradient = vector + change, found.loss, found.gradient
            yield Iteration(vector, loss, gradient, found.step, evaluations)
            evaluations, last = 0, (start.slope, found.step)

    def _first_step(self, start, last):
        """The step that a line search tries first.

        `last` has the slope and the step of the iteration before, if any.
        """
        if last is None:
            length = float(np.sum(np.abs(start.gradient)))
            return self.learning_rate * min(1.0, 1 / max(length, 1e-30))
        if self.memory:
            return self.learning_rate
        # The gradient gives no length: expect the same decrease as last time.
        slope, step = last
        return step * slope / min(start.slope, -1e-30)

    def _search(self, evaluate, vector, direction, start, step):
        if not start.slope < 0:
            return start, 0

        def on_the_line(step):
            loss, gradient = evaluate(vector + step * direction)
            return Point(step, loss, _dot(gradient, direction), gradient)

        return strong_wolfe(
            on_the_line,
            start,
            step,
            armijo=self.armijo,
            curvature=self.curvature,
            max_evaluations=self.max_line_search_steps,
            rounding=_ROUNDING[vector.dtype.name] * abs(start.loss),
            shortest=_LEAST_CHANGE / float(np.max(np.abs(direction))),
        )


def _direction(gradient, pairs):
    """Minus the inverse Hessian times the gradient, by two loops."""
    direction = -gradient
    if not pairs:
        return direction
    alphas = []
    for change, difference, curvature in reversed(pairs):
        alpha = _dot(change, direction) / curvature
        direction = direction - alpha * difference
        alphas.append(alpha)
    _, difference, curvature = pairs[-1]
    direction = direction * (curvature / _dot(difference, difference))
    for (change, difference, curvature), alpha in zip(
        pairs, reversed(alphas), strict=True
    ):
        beta = _dot(difference, direction) / curvature
        direction = direction + (alpha - beta) * change
    return direction


def _dot(a, b):
    return float(np.dot(a, b))
