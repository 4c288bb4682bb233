"""The promises of every metric.

The targets have two columns here, of which the second holds 0 and 1; the
predictions have one.
"""

import keras
import numpy as np

from keras_regopt.testing import common
from keras_regopt.testing._backend import data_parallel, to_numpy
from keras_regopt.testing._contract import require
from keras_regopt.testing._samples import metric_model, require_alike
from keras_regopt.testing._saving import through_file


def gives_a_single_precision_scalar(subject):
    """The result is a finite float32 number, before any example as well."""
    metric = subject.make()
    for result in (metric.result(), _result(metric)):
        require(
            keras.ops.is_tensor(result) and tuple(result.shape) == (),
            f"the result is no scalar tensor: {result}",
        )
        dtype = keras.backend.standardize_dtype(result.dtype)
        require(dtype == "float32", f"the result has dtype {dtype}")
        require(np.isfinite(to_numpy(result)), f"the result is {result}")


def adds_up_over_batches(subject):
    """Two batches of unequal size give what one batch of both gives."""
    whole, batched = subject.make(), subject.make()
    expected = _result(whole)
    y_true, y_pred = _outcome()
    batched.update_state(y_true[:3], y_pred[:3])
    batched.update_state(y_true[3:], y_pred[3:])
    _require_equal(batched.result(), expected, "in two batches, the result")


def forgets_on_reset(subject):
    """After a reset, it starts as it first did."""
    metric = subject.make()
    fresh, expected = to_numpy(metric.result()), _result(metric)
    metric.reset_state()
    _require_equal(metric.result(), fresh, "after a reset, the result")
    _require_equal(_result(metric), expected, "once more, the result")


def counts_examples_by_their_weight(subject):
    """A weight of two is an example twice, a weight of zero is none."""
    weighted, repeated = subject.make(), subject.make()
    y_true, y_pred = _outcome()
    weights = np.array([0, 1, 2, 1, 0, 1, 2, 1])
    weighted.update_state(
        y_true, y_pred, sample_weight=weights.astype("float32")
    )
    repeated.update_state(
        np.repeat(y_true, weights, axis=0), np.repeat(y_pred, weights, axis=0)
    )
    _require_equal(
        weighted.result(), repeated.result(), "by weights, the result"
    )


def takes_half_precision(subject):
    """Predictions in float16 give nearly the same, in single precision."""
    single, half = subject.make(), subject.make()
    y_true, y_pred = _outcome()
    half.update_state(y_true, keras.ops.cast(y_pred, "float16"))
    dtype = keras.backend.standardize_dtype(half.result().dtype)
    require(dtype == "float32", f"the result has dtype {dtype}")
    _require_equal(
        half.result(), _result(single), "in half precision, the result", 0.01
    )


def measures_alike_compiled_or_not(subject):
    """`fit` logs the same values eagerly, in a graph and compiled."""

    def train(mode):
        metric = subject.make()
        model, x, y = metric_model(metric, mode)
        history = model.fit(
            x, y, batch_size=4, epochs=2, shuffle=False, verbose=0
        )
        return history.history[metric.name]

    require_alike(train)


def adds_up_over_devices(subject):
    """Over two devices, `evaluate` gives what it gives on one."""

    def evaluate():
        model, x, y = metric_model(subject.make(), None)
        return model.evaluate(x, y, batch_size=8, verbose=0)[-1]

    parallel = data_parallel(evaluate)
    _require_equal(parallel, evaluate(), "over two devices, the result")


def reloads(subject):
    """A reloaded model is measured alike."""
    model, x, y = metric_model(subject.make(), None)
    expected = model.evaluate(x, y, verbose=0)
    result = through_file(model).evaluate(x, y, verbose=0)
    _require_equal(result, expected, "reloaded, loss and result")


def _outcome():
    """Targets, and the predictions of an untrained model."""
    model, x, y = metric_model(None)
    return y, to_numpy(model(x))


def _result(metric):
    metric.update_state(*_outcome())
    return metric.result()


def _require_equal(result, expected, what, tolerance=1e-5):
    require(
        np.allclose(
            *(_numbers(value) for value in (result, expected)),
            rtol=tolerance,
            atol=tolerance,
        ),
        f"{what} is {result} instead of {expected}",
    )


def _numbers(value):
    return to_numpy(value) if keras.ops.is_tensor(value) else value


PROMISES = [
    *common.PROMISES,
    gives_a_single_precision_scalar,
    adds_up_over_batches,
    forgets_on_reset,
    counts_examples_by_their_weight,
    takes_half_precision,
    measures_alike_compiled_or_not,
    adds_up_over_devices,
    reloads,
]
