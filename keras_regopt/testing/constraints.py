"""The promises of every constraint."""

import keras
import numpy as np

from keras_regopt.testing import common
from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._contract import require
from keras_regopt.testing._samples import (
    data,
    dense_model,
    fit,
    require_alike,
)
from keras_regopt.testing._saving import through_file

SHAPES = [(4, 3), (3, 4), (2, 2, 3, 4)]


def keeps_shapes_and_dtypes(subject):
    """A weight comes back with its shape and dtype, and finite; zeros too."""
    random = np.random.default_rng(0)
    for shape in SHAPES:
        for weight in (np.zeros(shape), random.normal(size=shape)):
            for dtype in ("float32", "bfloat16", "float16"):
                x = keras.ops.cast(weight, dtype)
                result = subject.make()(x)
                require(
                    tuple(result.shape) == shape and result.dtype == x.dtype,
                    f"a {dtype} weight of {shape} became {result.dtype} of "
                    f"{result.shape}",
                )
                value = to_numpy(result)
                require(
                    np.all(np.isfinite(value)),
                    f"a {dtype} weight became {value}",
                )


def leaves_its_input_alone(subject):
    """The caller's arrays have the same numbers as before."""
    weight = keras.ops.convert_to_tensor(np.eye(4, 3, dtype="float32"))
    subject.make()(weight)
    require(
        np.array_equal(to_numpy(weight), np.eye(4, 3)),
        "the weight was changed in place",
    )


def acts_alike_on_equal_weights(subject):
    """An object and its copy from the configuration give the same result."""
    weight = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    made = subject.make()
    again = subject.cls.from_config(made.get_config())
    first, second = (to_numpy(c(weight)) for c in (made, again))
    require(
        np.array_equal(first, second), f"two copies give {first} and {second}"
    )


def trains_alike_compiled_or_not(subject):
    """On a kernel, `fit` gives the same losses in every mode."""
    require_alike(lambda mode: fit(_model(subject, mode=mode)))


def reloads(subject):
    """A reloaded model goes on with the same losses."""
    model = _model(subject, mode="eager")
    fit(model)
    reloaded = through_file(model)
    x, y = data()
    expected, losses = (
        m.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"]
        for m in (model, reloaded)
    )
    require(
        np.allclose(expected, losses, rtol=1e-5),
        f"the next losses are {losses} instead of {expected}",
    )


def _model(subject, **options):
    return dense_model(kernel_constraint=subject.make(), **options)


PROMISES = [
    *common.PROMISES,
    keeps_shapes_and_dtypes,
    leaves_its_input_alone,
    acts_alike_on_equal_weights,
    trains_alike_compiled_or_not,
    reloads,
]
