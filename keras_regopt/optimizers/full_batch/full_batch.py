import warnings
from collections.abc import Sequence
from typing import Any

import keras

from keras_regopt._keras import print_msg
from keras_regopt._validate import in_range, instance_of, positive_int
from keras_regopt.optimizers.full_batch._fittable import (
    checked_data,
    checked_start,
    prepare,
)
from keras_regopt.optimizers.full_batch._objective import Objective, largest
from keras_regopt.optimizers.full_batch.lbfgs import LBFGS

# Near a minimum the gradient still shrinks when the loss cannot show it.
_MOST_IDLE = 3


def fit_full_batch(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    method: str | LBFGS = "lbfgs",
    loss: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    max_iterations: int = 100,
    gradient_tolerance: float = 1e-5,
    loss_tolerance: float = 1e-9,
    validation_data: tuple[Any, ...] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
    verbose: int = 0,
) -> keras.callbacks.History:
    """Fits a model with the exact gradient of the loss over all data.

    Each iteration takes loss and gradient of the whole data set, chooses a
    direction and searches along it for a good step. So the loss falls in every
    iteration and there is no learning rate to choose. Use it on data that can
    be evaluated some hundred times, where a precise minimum is wanted: linear
    and logistic regression, small networks, calibration, the head of a
    pretrained model. On large networks and data, mini-batches train faster.

    The loss is the one that `model.evaluate` shows, with regularizers: dropout
    and augmentation are off and batch normalization uses its moving averages,
    which stay as they are, because a line search needs a loss that is the same
    function each time. The model's own optimizer is not used. Everything runs
    on one device.

    Args:
        model: A Keras model, compiled with a loss; its variables must not have
            constraints (`ProximalSGD` has bounds).
        x: Inputs as of `fit`: an array, or a list or dict of arrays.
        y: Targets likewise. Defaults to `None`.
        method: `"lbfgs"`, `"gradient_descent"` (with the same line search), or
            an `LBFGS` object. Defaults to `"lbfgs"`.
        loss: Loss of a model that is not compiled yet, which is compiled with
            it. Defaults to `None`.
        sample_weight: Weights of the samples as of `fit`; for weighted classes
            see `sklearn.utils.class_weight.compute_sample_weight`. Defaults to
            `None`.
        batch_size: Samples to evaluate at once, so that large data fit into
            memory; all of them make one gradient nonetheless. The loss must be
            a mean over the samples. Defaults to `None`, all at once.
        max_iterations: Iterations at most, at least 1. Defaults to `100`.
        gradient_tolerance: Number >= 0; the fit ends where no entry of the
            gradient is larger. Defaults to `1e-5`.
        loss_tolerance: Number >= 0; the fit ends when in three iterations in a
            row the loss falls by no more than this, relative to the loss or to
            1 if that is greater. Defaults to `1e-9`: where single precision
            sees no fall any more.
        validation_data: Tuple `(x, y)` or `(x, y, sample_weight)` to evaluate
            after each iteration. Defaults to `None`.
        callbacks: List of Keras callbacks; an iteration counts as an epoch,
            and there are no batches. Defaults to `None`.
        verbose: `1` prints a line for each iteration. Defaults to `0`.

    Returns:
        A `keras.callbacks.History`. For each iteration, its `history` has the
        `loss`, the `gradient_norm` (the largest absolute entry, which
        `gradient_tolerance` bounds), the `step_length`, and the `evaluations`
        of the loss so far. Its attribute `stopped_by` tells why the fit ended:
        `"gradient_tolerance"`, `"loss_tolerance"`, `"max_iterations"`,
        `"callback"`, or `"line_search"`, where no step lowers the loss, usually
        because it is at the limit of the precision.

        The model has the weights of the lowest loss, also after an error or an
        interruption.

    Raises:
        ValueError: If the model has no loss, or the loss is not finite to begin
            with.

    Examples:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> x = np.linspace(-1, 1, 20)[:, None]
        >>> history = fit_full_batch(model, x, 3 * x - 1, loss="mse")
        >>> [round(float(v), 3) for v in model.predict(x[-1:], verbose=0)[0]]
        [2.0]
        >>> history.stopped_by
        'gradient_tolerance'

    References:
        Nocedal and Wright 2006, Numerical optimization, chapters 3 and 7.
    """
    method = _checked_method(method)
    positive_int(fit_full_batch, "batch_size", batch_size, optional=True)
    limits = _Limits(
        positive_int(fit_full_batch, "max_iterations", max_iterations),
        in_range(
            fit_full_batch, "gradient_tolerance", gradient_tolerance, low=0
        ),
        in_range(fit_full_batch, "loss_tolerance", loss_tolerance, low=0),
    )
    data = checked_data(x, y, sample_weight)
    prepare(model, loss, data, batch_size)
    objective = Objective(model, data, batch_size)
    start = objective.weights
    iterations = method.iterations(objective, start)
    history = keras.callbacks.History()
    listeners = keras.callbacks.CallbackList(
        [*(callbacks or []), history],
        model=model,
        epochs=max_iterations,
        steps=1,
        verbose=verbose,
    )
    model.stop_training = False
    listeners.on_train_begin()
    logs, best = {}, start
    try:
        last, current = None, checked_start(next(iterations))
        evaluations = current.evaluations
        reason = limits.reached(last, current, 0)
        while reason is None:
            epoch = len(history.epoch)
            listeners.on_epoch_begin(epoch)
            objective.failures = 0
            last, current = current, next(iterations, None)
            if current is None:
                reason = "line_search"
                break
            best = current.vector
            # For the callbacks; a line search may have gone beyond.
            objective.assign(best)
            evaluations += current.evaluations
            logs = {
                "loss": current.loss,
                "gradient_norm": largest(current.gradient),
                "step_length": current.step,
                "evaluations": evaluations,
                **_validation(model, validation_data, batch_size),
            }
            if verbose:
                _show(epoch + 1, max_iterations, logs)
            listeners.on_epoch_end(epoch, logs)
            reason = limits.reached(last, current, epoch + 1)
            if reason is None and model.stop_training:
                reason = "callback"
    finally:
        objective.assign(best)
        model.reset_metrics()
    if reason == "line_search" and objective.failures:
        warnings.warn(
            "fit_full_batch met losses or gradients that are not finite and "
            "could not avoid them. The model has the weights of the lowest "
            "loss.",
            stacklevel=2,
        )
    history.stopped_by = reason
    listeners.on_train_end(logs)
    return history


class _Limits:
    """The criteria that end a fit."""

    def __init__(self, iterations, gradient, loss):
        self.iterations = iterations
        self.gradient = gradient
        self.loss = loss
        self._idle = 0

    def reached(self, last, current, count):
        """Why to stop after some iterations, or `None`."""
        if largest(current.gradient) <= self.gradient:
            return "gradient_tolerance"
        if last is not None:
            least = self.loss * max(1.0, abs(current.loss))
            idle = last.loss - current.loss <= least
            self._idle = self._idle + 1 if idle else 0
        if self._idle == _MOST_IDLE:
            return "loss_tolerance"
        return "max_iterations" if count >= self.iterations else None


def _checked_method(method):
    if method == "lbfgs":
        return LBFGS()
    if method == "gradient_descent":
        return LBFGS(memory=0)
    return instance_of(
        fit_full_batch,
        "method",
        method,
        LBFGS,
        "'lbfgs', 'gradient_descent' or an LBFGS object",
    )


def _validation(model, data, batch_size):
    if data is None:
        return {}
    x, y, *sample_weight = data
    results = model.evaluate(
        x,
        y,
        batch_size=batch_size,
        sample_weight=sample_weight[0] if sample_weight else None,
        verbose=0,
        return_dict=True,
    )
    return {f"val_{name}": value for name, value in results.items()}


def _show(count, most, logs):
    values = " - ".join(f"{name}: {v:.6g}" for name, v in logs.items())
    print_msg(f"Iteration {count}/{most} - {values}")
