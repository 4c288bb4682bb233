"""The promises of every regularizer."""

import keras
import numpy as np

from keras_regopt.testing import common
from keras_regopt.testing._backend import gradient, to_numpy
from keras_regopt.testing._contract import require
from keras_regopt.testing._quantization import quantizable, require_quantized
from keras_regopt.testing._samples import data, dense_model, fit, require_alike
from keras_regopt.testing._saving import through_file


def gives_a_single_precision_scalar(subject):
    """The penalty is a finite float32 number >= 0, for half precision too."""
    weight = np.random.default_rng(0).normal(size=(4, 3))
    for dtype in ("float32", "bfloat16", "float16"):
        penalty = subject.make()(keras.ops.cast(weight, dtype))
        require(
            keras.ops.is_tensor(penalty) and tuple(penalty.shape) == (),
            f"the penalty on a {dtype} weight is no scalar tensor: {penalty}",
        )
        result = keras.backend.standardize_dtype(penalty.dtype)
        require(
            result == "float32",
            f"the penalty on a {dtype} weight has dtype {result}, which Keras "
            "cannot add to a float32 loss",
        )
        value = float(to_numpy(penalty))
        require(
            np.isfinite(value) and value >= 0,
            f"the penalty on a {dtype} weight is {value}",
        )


def has_a_finite_gradient(subject):
    """The gradient is finite, on zeros and elsewhere."""
    for weight in (np.zeros((4, 3)), np.eye(4, 3)):
        slope = gradient(subject.make(), weight.astype("float32"))
        require(np.all(np.isfinite(slope)), f"the gradient is {slope}")


def trains_alike_compiled_or_not(subject):
    """On kernel and activity, `fit` gives the same losses in every mode.

    On the kernel alone, if the class says `on_activities = False`.
    """
    require_alike(lambda mode: fit(_model(subject, mode=mode)))


def trains_in_mixed_precision(subject):
    """On kernel and activity, `fit` runs under `mixed_float16`."""
    losses = fit(_model(subject, dtype="mixed_float16"))
    require(np.all(np.isfinite(losses)), f"the losses are {losses}")


def reloads(subject):
    """A reloaded model has the same loss, penalties included."""
    model = _model(subject)
    x, y = data()
    expected = model.evaluate(x, y, verbose=0)
    loss = through_file(model).evaluate(x, y, verbose=0)
    require(
        np.allclose(expected, loss, rtol=1e-5),
        f"the loss is {loss} instead of {expected}",
    )


def quantizes(subject):
    """With the penalty on its kernel, a layer is quantized to int8.

    The model then predicts nearly the same, also after a reload.
    """
    model = _model(subject)
    x, _ = data()
    # A state is made with the first penalty.
    model(x)
    require(len(model.losses) > 0, "the model has no penalty")
    require_quantized(model, x, quantizable(model))


def _model(subject, **options):
    if getattr(subject.cls, "on_activities", True):
        options["activity_regularizer"] = subject.make()
    return dense_model(kernel_regularizer=subject.make(), **options)


PROMISES = [
    *common.PROMISES,
    gives_a_single_precision_scalar,
    has_a_finite_gradient,
    trains_alike_compiled_or_not,
    trains_in_mixed_precision,
    reloads,
    quantizes,
]
